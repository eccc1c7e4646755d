"""Namespaces beside the rack's own, with a program in one of them, for the time of a test."""

import subprocess

from appliance import spawn, wait_until


class SideNetwork:
    """Use it as a context. What stands in capitals is the subclass's."""

    NAMESPACES = ()
    LAYOUT = ""  # a line for each call of ip(8)
    LINKS = ()   # (namespace, link) whose end ends the network: a namespace outlives its name while a process is in it
    SAYS = ""    # what the program's log says when it is ready

    def __init__(self, log):
        self.log, self.process = log, None

    def command(self):
        """The program's command line."""
        raise NotImplementedError

    def prepare(self):
        """What else there is to do before the program starts."""

    def __enter__(self):
        self.remove()
        try:
            for name in self.NAMESPACES:
                subprocess.run(["ip", "netns", "add", name], check=True)
            for line in self.LAYOUT.strip().splitlines():
                subprocess.run(["ip", *line.split()], check=True)
            self.prepare()
            self.process = spawn(self.NAMESPACES[0], *self.command(), log=self.log)
            wait_until(f"'{self.SAYS}' from {self.command()[0]}", lambda: self.SAYS in self.log.read_text())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
        self.remove()

    def remove(self):
        for namespace, link in self.LINKS:
            subprocess.run(["ip", "-n", namespace, "link", "del", link], stderr=subprocess.DEVNULL)
        for name in self.NAMESPACES:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
