"""moto's server behind waitress, one request at a time.

The server that comes with moto handles requests side by side without locking, so that updates are lost, and closes each
connection so soon that now and then an answer is lost too.
"""

import sys

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from waitress import serve

serve(DomainDispatcherApplication(create_backend_app), host="127.0.0.1", port=int(sys.argv[1]), threads=1)
