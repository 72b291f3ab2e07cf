"""What pyproject.toml cannot say: run_vsgn.sh is installed beside the scripts that it calls."""

from setuptools import setup
from setuptools.command.build_py import build_py


class WithShell(build_py):
    def run(self):
        super().run()
        self.copy_file("run_vsgn.sh", self.build_lib)


setup(cmdclass={"build_py": WithShell})
