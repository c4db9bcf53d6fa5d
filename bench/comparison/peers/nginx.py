"""nginx with the true arrays as plain files: the same bytes without any decoding, with sendfile and without."""

import shutil

from ..process import Process, free_port

CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes auto;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 1000000000; tcp_nopush on;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen 127.0.0.1:{port}; max_ranges 0;
        location /sendfile/ {{ alias {files}/; sendfile on; sendfile_max_chunk 0; }}
        location /copied/ {{ alias {files}/; sendfile off; }}
    }}
}}
"""


class Nginx(Process):
    """Debian's nginx; `installed` tells whether it is on the PATH."""

    name = "nginx"
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    installed = program is not None

    def __init__(self, files, folder):
        port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, files=files, port=port))
        super().__init__([self.program, "-e", folder / "error.log", "-p", folder, "-c", folder / "nginx.conf"], folder, port)
