"""An empty Neutron and an empty Glance: Nova asks them even about servers without network and image."""
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Empty(BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.split("?")[0].rstrip("/")
        collection = path.rsplit("/", 1)[-1].replace(".json", "").replace("-", "_")
        body = json.dumps({collection or "versions": []}).encode()
        self.send_response(404 if path.startswith("/image/") else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Silent."""


ThreadingHTTPServer(("127.0.0.1", 9696), Empty).serve_forever()
