#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as a headless server builds it: with LibTorch and nlohmann_json, and without Qt, ONNX and image libraries.

    engine_alone.py SOURCE FOVEA [cmake options]

Configures and builds SOURCE/build-engine, which compiles hardly anything anew where ccache has the whole build, and
speaks with what came out: it names its LibTorch, trains, and says which library a PNG would need. FOVEA makes a network.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ABSENT = ("Qt6", "QCustomPlotQt6", "ONNX", "GTest", "benchmark", "ZLIB", "PNG")
DATA = "patterns:classes=2,size=28,images=32,validation=16,pattern=17"


def build(source, options):
    folder = source / "build-engine"
    environment = {**os.environ, "CCACHE_BASEDIR": str(source), "CCACHE_NOHASHDIR": "1"}
    without = [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in ABSENT] + ["-DFOVEA_TURBOJPEG_INCLUDE=NO"]
    for command in (["cmake", "-S", source, "-B", folder, "-G", "Ninja", "-DFOVEA_ENGINE_ONLY=ON", *without, *options],
                    ["cmake", "--build", folder]):
        done = subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.exit(f"{done.stdout}\n'{' '.join(map(str, command))}' failed.")
    return folder / "bin"


class Engine:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, method, **params):
        """The reply's result, or its error's text."""
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
        self.process.stdin.flush()
        while "id" not in (message := json.loads(self.process.stdout.readline())):
            pass
        return message.get("result") or message["error"]["message"]

    def end(self):
        self.process.stdin.close()
        return self.process.wait(60)


def main():
    source, fovea, options = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    programs = build(source, options)
    assert [path.name for path in programs.iterdir()] == ["fovea-engine"], list(programs.iterdir())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run([fovea, "convert", "zoo:lenet5,classes=2,channels=3,size=28", folder / "net.fovea"], check=True,
                       stdout=subprocess.DEVNULL)
        engine = Engine(programs / "fovea-engine")
        hello = engine.ask("hello", protocol=1)
        assert hello["libtorch"] and hello["devices"][0]["name"] == "cpu", hello
        loaded = engine.ask("load", graph=json.loads((folder / "net.fovea").read_text()))
        assert loaded["initialised"] > 0, loaded
        trained = engine.ask("train", run=str(folder / "run"), data=DATA, recipe={"epochs": 1, "batch_size": 8, "workers": 1})
        assert trained["state"] == "done" and (folder / "run" / "best.safetensors").exists(), trained
        for kind in ("cat", "dog"):
            (folder / "photos" / kind).mkdir(parents=True)
            for i in range(4):
                (folder / "photos" / kind / f"{i}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
        refused = str(engine.ask("evaluate", data={"source": str(folder / "photos")}))
        assert "libpng" in refused, refused
        assert engine.end() == 0
    print("The engine alone names its LibTorch, trains, and says what a PNG would need.")


if __name__ == "__main__":
    main()
