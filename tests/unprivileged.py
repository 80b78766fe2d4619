"""Runs a command without root's privileges, so that file permissions apply even if the tests run as root."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from cli_harness import COMMAND, CliHarness
from process_pool import PATIENCE_SECONDS, Finished

RIGHTS = "-dac_override,-dac_read_search,-fowner"


def run_unprivileged(cli: CliHarness, *arguments: str) -> Finished:
    """Run the installed command in its folder to its end, bound by the modes of files and folders."""
    bound = []
    if os.getuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root is not bound by permissions, and there is no setpriv to bind it")
        bound = ["setpriv", f"--bounding-set={RIGHTS}", f"--inh-caps={RIGHTS}"]
    done = subprocess.run(
        [*bound, str(COMMAND), *arguments],
        cwd=cli.folder,
        env=cli.usual_environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Finished(done.returncode, done.stdout, done.stderr)
