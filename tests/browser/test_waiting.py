"""A page is not asked for before its server listens, however long that takes."""

import json
import socket
import subprocess
import sys
import threading

import browser


def test_a_server_that_says_where_it_is_before_it_listens_is_waited_for(tmp_path):
    with socket.socket() as held, subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
        held.bind(("127.0.0.1", 0))  # nobody is answered yet
        about = {"url": "http://127.0.0.1/", "port": held.getsockname()[1], "token": "t"}
        (tmp_path / "jpserver-1.json").write_text(json.dumps(about))
        began = []
        later = threading.Timer(0.5, lambda: began.append(True) or held.listen())
        later.start()
        address = browser._address(server, tmp_path, tmp_path / "log")
        assert began
        assert address("lab") == "http://127.0.0.1/lab?token=t"
        later.join()
        server.stdin.close()
