#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""graphite-web of Debian on a port of the loopback, with all its files below $GRAPHITE_DIR.

The same file is graphite-web's settings module (GRAPHITE_SETTINGS_MODULE) and the server: one place knows the directories.
"""
import os
import secrets
import sys

DIRECTORY = os.environ["GRAPHITE_DIR"]

# --- settings, as graphite-web reads them from its settings module ---------------------------------------------------------
SECRET_KEY = os.environ.setdefault("GRAPHITE_SECRET_KEY", secrets.token_hex())
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
TIME_ZONE = "UTC"
CONF_DIR = os.path.join(DIRECTORY, "conf")
STORAGE_DIR = DIRECTORY
WHISPER_DIR = os.path.join(DIRECTORY, "whisper")
LOG_DIR = os.path.join(DIRECTORY, "log", "webapp")
INDEX_FILE = os.path.join(DIRECTORY, "index")
CARBONLINK_HOSTS = [os.environ["GRAPHITE_CARBON"]]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(DIRECTORY, "graphite.db")}}


def serve(port):
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    class Handler(WSGIRequestHandler):
        def log_message(self, *args):  # one line per request is of no use here
            pass

    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    os.environ["GRAPHITE_SETTINGS_MODULE"] = "graphite_web"
    os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
    import django
    django.setup()
    from django.conf import settings
    settings.STATICFILES_DIRS = ["/usr/share/graphite-web/static"]  # Debian moved them; graphite.settings looks elsewhere
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    call_command("migrate", run_syncdb=True, verbosity=0)
    with make_server("127.0.0.1", port, StaticFilesHandler(get_wsgi_application()), Server, Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    try:
        serve(int(sys.argv[1]))
    except KeyboardInterrupt:
        pass
