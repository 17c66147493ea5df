"""Where everything meets: servers, put together from settings.

The one room of this package that knows the simulator, so that nothing else here can come to depend on it; and it imports it only
where a simulated backend is asked for, so that a production server holds none of its code.
"""
