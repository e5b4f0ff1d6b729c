"""Debian's nginx in front of a node, with hardly a setting: as it comes it buffers answers."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .canang_process import clean_environment
from .haproxy import START_TIMEOUT_S
from .process_lifetime import die_with_parent
from .redis_process import free_port
from .waiting import port_answers, wait_until

CONFIGURATION = """\
daemon off;
master_process off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  gzip on;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{node};
      proxy_http_version {version};
      proxy_set_header Host $http_host;
      {fields}
    }}
  }}
}}
"""


class Nginx:
    """`version`: of the HTTP that it speaks to the node. `forwarded`: it says for whom."""

    def __init__(
        self, directory: Path, node_port: int, version: str, forwarded: bool = False
    ) -> None:
        self.port = free_port()
        directory.mkdir()
        text = CONFIGURATION.format(
            directory=directory,
            port=self.port,
            node=node_port,
            version=version,
            fields="proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" * forwarded,
        )
        (directory / "nginx.conf").write_text(text)
        self._log = (directory / "output").open("wb")
        self.process = subprocess.Popen(
            ["nginx", "-p", str(directory), "-c", str(directory / "nginx.conf")],
            env=clean_environment({"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )
        try:
            wait_until(lambda: port_answers(self.port), "nginx answers", START_TIMEOUT_S)
        except AssertionError:
            self.kill()
            raise

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()
