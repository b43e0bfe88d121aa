"""Has hatchling compile the C of `textgen/kernel/` into a wheel, or into a checkout that is installed editable."""

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KernelHook(BuildHookInterface):
    """Builds what a C compiler allows; textgen is complete without it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the kernel and name the files that the wheel is to carry."""
        sys.path.insert(0, self.root)
        from textgen.kernel.library import build

        try:
            libraries = build()
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", None) or error
            self.app.display_warning(f"textgen's kernel is not compiled, so it trains and writes more slowly: {reason}")
            return
        if libraries:
            build_data["artifacts"] += [library.relative_to(Path(self.root)).as_posix() for library in libraries]
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
