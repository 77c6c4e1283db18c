"""A module that leaves a thread behind."""

import threading

threading.Thread(target=threading.Event().wait, name="busybody", daemon=True).start()
