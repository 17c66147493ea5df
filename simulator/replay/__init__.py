"""What a real launcher was asked, and what happened to its containers, told to the simulator: does the same come out?"""
