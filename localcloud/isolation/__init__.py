"""A private view of the machine for foreign code: folders of its own, nothing else to write to, no root, no Docker.

view.py    what a process is to see, and the command that starts it so
enter.py   what makes the view and starts the process in it
mounts.py  what the view is made of
relay.py   the way into a view without a network
offer.py   whether this machine allows it, found out once
python.py  which folders an interpreter installs into

    view = View(folder="/work", writable={"/work": folder, "/tmp": scratch}, memory={"/dev/shm": 0})
    subprocess.Popen(isolated(["python3", "job.py"], view), stdin=subprocess.PIPE, …)

Whoever starts it keeps the other end of its standard input open: when that is closed, also because the starter was
killed, everything inside is ended. A signal to the process reaches the command once, and it ends as the command does.
"""
