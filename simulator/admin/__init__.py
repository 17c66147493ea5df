"""The control plane under ``/__admin``: what people hold a simulated or recorded world by."""
