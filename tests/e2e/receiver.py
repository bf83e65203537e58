# SPDX-License-Identifier: MIT
"""A receiver of remote write and OTLP that does as it is told, and an independent reading of what came: wire format by hand, Snappy by python3-snappy."""
import functools
import gzip
import http.server
import socket
import ssl
import struct
import threading
import time

import snappy

STALE = 0x7FF0000000000002


# --- protobuf's wire format -------------------------------------------------------------------------------------------------


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    at, end = 0, len(data)
    while at < end:
        key = data[at]
        at += 1
        if key >= 0x80:
            key, at = varint(data, at - 1)
        kind = key & 7
        if kind == 2:
            size = data[at]
            at += 1
            if size >= 0x80:
                size, at = varint(data, at - 1)
            value, at = data[at : at + size], at + size
            assert len(value) == size
        elif kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = struct.unpack_from("<Q", data, at)[0], at + 8
        elif kind == 5:
            value, at = struct.unpack_from("<I", data, at)[0], at + 4
        else:
            raise ValueError(f"wire type {kind}")
        yield key >> 3, value


def get(data, number, default=None):
    found = default
    for field, value in fields(data):
        if field == number:
            found = value
    return found


def every(data, number):
    return [value for field, value in fields(data) if field == number]


def packed(data):
    at, values = 0, []
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


# The same labels come at every instant, and most pairs in many series: what has been read once is kept.
@functools.lru_cache(maxsize=None)
def pair(message):
    return get(message, 1, b"").decode(), get(message, 2, b"").decode()


@functools.lru_cache(maxsize=None)
def otlp_pair(message):
    return get(message, 1, b"").decode(), get(get(message, 2, b""), 1, b"").decode()


@functools.lru_cache(maxsize=None)
def label_set(*labels):
    """The names as they came, the labels, and what stands for them whatever their order. Nobody may change them."""
    named = dict(labels)
    return [name for name, _ in labels], named, tuple(sorted(named.items()))


class Series:
    def __init__(self, labels, ms, bits):
        self.names, self.labels, self.key = label_set(*labels)
        self.ms, self.bits = ms, bits

    @property
    def stale(self):
        return self.bits == STALE

    @property
    def value(self):
        return struct.unpack("<d", struct.pack("<Q", self.bits))[0]


def read_samples(messages):
    for sample in messages:
        found = dict(fields(sample))
        yield found.get(2, 0), found.get(1, 0)


def decode_1(body):
    for series in every(snappy.uncompress(body), 1):
        labels, samples = [], []
        for field, value in fields(series):
            if field == 1:
                labels.append(pair(value))
            elif field == 2:
                samples.append(value)
        for ms, bits in read_samples(samples):
            yield Series(labels, ms, bits)


def decode_2(body):
    raw = snappy.uncompress(body)
    symbols = [symbol.decode() for symbol in every(raw, 4)]
    assert symbols[0] == "" and len(set(symbols)) == len(symbols)
    for series in every(raw, 5):
        refs = packed(get(series, 1))
        assert len(refs) % 2 == 0
        labels = [(symbols[refs[i]], symbols[refs[i + 1]]) for i in range(0, len(refs), 2)]
        for ms, bits in read_samples(every(series, 2)):
            yield Series(labels, ms, bits)


def attributes(messages):
    return [otlp_pair(message) for message in messages]


def decode_otlp(body, encoding):
    raw = gzip.decompress(body) if encoding == "gzip" else body
    for resource_metrics in every(raw, 1):
        resource = dict(attributes(every(get(resource_metrics, 1, b""), 1)))
        base = [("job", resource["service.name"]), ("instance", resource["service.instance.id"])]
        for scope in every(resource_metrics, 2):
            for metric in every(scope, 2):
                name = get(metric, 1).decode()
                for point in every(get(metric, 5) or get(metric, 7), 1):
                    labels = [("__name__", name)] + base + attributes(every(point, 7))
                    bits = STALE if get(point, 8, 0) & 1 else get(point, 4, 0)
                    yield Series(labels, get(point, 3) // 1000000, bits)


# --- the server -------------------------------------------------------------------------------------------------------------


class Request:
    def __init__(self, handler, body):
        self.at, self.wall = time.monotonic(), time.time()
        self.path = handler.path
        self.headers = handler.headers
        self.peer = handler.client_address[1]
        self.body = body
        self._series = None

    @property
    def protocol(self):
        if "X-Prometheus-Remote-Write-Version" not in self.headers:
            return "otlp"
        return "2" if self.headers["X-Prometheus-Remote-Write-Version"] == "2.0.0" else "1"

    @property
    def series(self):
        if self._series is None:
            decode = {"1": decode_1, "2": decode_2, "otlp": lambda b: decode_otlp(b, self.headers["Content-Encoding"])}
            self._series = list(decode[self.protocol](self.body))
        return self._series


class Receiver:
    """`script`: answers in order, the last for ever; or a function of the request's number and the request. An answer is a status, or a dict: status,
    headers, body, delay, and mode: "close" at once, "hang", "garbage", "trickle" (a byte at a time), "cut" (less than was promised)."""

    def __init__(self, script=(204,), port=0, tls=None):
        receiver = self
        self.script = script
        self.requests = []
        self.lock = threading.Lock()
        self.now = self.most = 0
        self.over = threading.Event()
        self.connections = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args):
                pass

            def do_GET(self):
                receiver.requests.append(Request(self, b""))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    request = Request(self, body)
                    number = len(receiver.requests)
                    receiver.requests.append(request)
                    receiver.now += 1
                    receiver.most = max(receiver.most, receiver.now)
                try:
                    receiver.answer(self, request, number)
                finally:
                    with receiver.lock:
                        receiver.now -= 1

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, client_address):
                pass  # the sender may go at any time

            def process_request(self, request, client_address):
                receiver.connections.append(request)
                super().process_request(request, client_address)

        self.server = Server(("127.0.0.1", port), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}/push"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def answer(self, handler, request, number):
        if callable(self.script):
            what = self.script(number, request)
        else:
            what = self.script[min(number, len(self.script) - 1)]
        what = {"status": what} if isinstance(what, int) else what
        self.over.wait(what.get("delay", 0))
        mode = what.get("mode")
        if mode == "hang":
            self.over.wait()
        if mode in ("close", "hang"):
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        if mode == "garbage":
            handler.close_connection = True
            handler.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")
            return
        body = what.get("body", b"")
        handler.send_response(what["status"])
        headers = dict(what.get("headers", {}))
        if request.protocol == "2" and what["status"] == 204 and "written" not in what:
            headers["X-Prometheus-Remote-Write-Samples-Written"] = str(len(request.series))
        if what.get("written") is not None:
            headers["X-Prometheus-Remote-Write-Samples-Written"] = str(what["written"])
        for name, value in headers.items():
            handler.send_header(name, value)
        if what["status"] != 204:
            handler.send_header("Content-Length", str(len(body) + (10 if mode == "cut" else 0)))
        handler.end_headers()
        if mode == "trickle":
            for i in range(len(body)):
                handler.wfile.write(body[i : i + 1])
                if self.over.wait(0.05):
                    return
        else:
            handler.wfile.write(body)
        if mode == "cut":
            handler.close_connection = True

    def taken(self):
        """Series of the requests, in the order of their coming."""
        return [series for request in list(self.requests) for series in request.series]

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.socket.close()  # not server_close(), which waits for the threads
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed already


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def server_context(cert, key, ca):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context
