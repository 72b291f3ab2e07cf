"""What pyproject.toml cannot say: run_vsgn.sh is installed beside the scripts it calls."""

from setuptools import setup
from setuptools.command.build_py import build_py


class WithShell(build_py):
    """`build_py` that also copies run_vsgn.sh."""

    def run(self):
        """Build, then copy."""
        super().run()
        self.copy_file("run_vsgn.sh", self.build_lib)


setup(cmdclass={"build_py": WithShell})
