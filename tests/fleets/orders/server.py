"""A small shop: orders in PostgreSQL, a counter in Redis, both by TLS."""

import json
import os
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
import redis

RELEASE = "v1.0.0"
AUTHORITY = os.environ["STEWARD_AUTHORITY"]


def database():
    """A connection whose server proves who it is."""
    return psycopg2.connect(
        host=os.environ["DATABASE_HOST"],
        dbname="orders",
        user=os.environ["DATABASE_USER"],
        password=os.environ["DATABASE_PASSWORD"],
        sslmode="verify-full",
        sslrootcert=AUTHORITY,
        connect_timeout=5,
    )


def cache():
    """A connection to the counter; its certificate is checked too."""
    return redis.Redis(
        host=os.environ["DATABASE_HOST"],
        password=os.environ["CACHE_PASSWORD"],
        ssl=True,
        ssl_ca_certs=AUTHORITY,
        ssl_check_hostname=True,
        socket_timeout=5,
    )


class Shop(BaseHTTPRequestHandler):
    """/ counts, /orders writes and reads, /slow takes two seconds, /health asks both stores."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/slow":
            time.sleep(2)
            return self.answer({"slow": True})
        if self.path == "/health":
            with database() as connection, connection.cursor() as cursor:
                cursor.execute("select 1")
            cache().ping()
            return self.answer({"healthy": True})
        if self.path == "/orders":
            with database() as connection, connection.cursor() as cursor:
                cursor.execute(
                    "create table if not exists orders (id serial primary key, at timestamptz default now())"
                )
                cursor.execute("insert into orders default values")
                cursor.execute("select count(*) from orders")
                return self.answer({"orders": cursor.fetchone()[0]})
        return self.answer({"release": RELEASE, "host": socket.gethostname()})

    def answer(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


class Server(ThreadingHTTPServer):
    """With room for connections that wait while the processors are busy: five, as usual, are soon full."""

    request_queue_size = 128


if __name__ == "__main__":
    if os.environ.get("BROKEN"):
        sys.exit("this release cannot start")
    Server(("0.0.0.0", int(os.environ["PORT"])), Shop).serve_forever()
