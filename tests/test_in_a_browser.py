"""Saved SVG and HTML, opened and read by a real browser, where there is one (not on every machine that tests)."""

from __future__ import annotations

import html
import re
import shutil
import subprocess

import pytest

from scopewatch.model.log_file import save_log
from tests.support.logs import dense_builder

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"no browser on this machine: none of {', '.join(BROWSERS)}")


@pytest.fixture
def opened(tmp_path):
    """`opened(file, *options)`: what the browser says after it has drawn a file, without any network."""

    def run(file, *options):
        command = [
            str(BROWSER),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-extensions",
        ]
        # A proxy that is not there: whatever would be fetched from elsewhere fails.
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--proxy-server=127.0.0.1:9", "--window-size=1000,900"]
        done = subprocess.run([*command, *options, file.as_uri()], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def saved(run_cli, tmp_path):
    save_log(dense_builder(title='<b>"größer" & 変数</b>').log(), tmp_path / "run.scopelog")
    views = [word for name in ("summary", "requests", "proof") for word in ("--view", name)]
    command = ["show", str(tmp_path / "run.scopelog"), *views, "--svg", "a.svg", "--html", "a.html"]
    status, out, err = run_cli(command, cwd=tmp_path)
    assert status == 0, err
    return out


def words(text: str) -> list[str]:
    return text.replace("\xa0", " ").split()


@pytest.mark.parametrize("kind", ["html", "svg"])
def test_the_browser_reads_the_same_words(saved, opened, tmp_path, kind):
    drawn = opened(tmp_path / f"a.{kind}", "--dump-dom")
    drawn = re.sub(r"(?s)<(style|title|head)\b.*?</\1>", " ", drawn)
    read = "".join(words(html.unescape(re.sub(r"(?s)<[^>]*>", "", drawn))))
    for line in saved.splitlines():
        assert "".join(words(line)) in read, line


@pytest.mark.parametrize("kind", ["html", "svg"])
def test_something_is_seen(saved, opened, tmp_path, kind):
    picture = tmp_path / "shot.png"
    opened(tmp_path / f"a.{kind}", f"--screenshot={picture}")
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 20_000  # An empty page of this size is about 5 kB.
