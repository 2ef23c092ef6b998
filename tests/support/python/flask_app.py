"""A small server on Flask, with sessions from the Python package redis_session.

The options have the same names as on Tornado:

    python flask_app.py --port=0 --cookie-secret=SECRET --session-redis=URL
"""

import argparse
import logging

from flask import Flask, request
from redis_session.flask_session import setup_session
from werkzeug.serving import make_server

import actions

app = Flask(__name__)


@app.route("/<any({}):action>".format(",".join(actions.GET)))
def get(action):
    return actions.GET[action](request.session, actions.parameters(request.query_string.decode()))


@app.route("/<any({}):action>".format(",".join(actions.POST)), methods=["POST"])
def post(action):
    return actions.POST[action](request.session, actions.parameters(request.query_string.decode()))


@app.route("/save", methods=["POST"])
def save():
    request.session.save(request.get_json(force=True))
    return ""


@app.route("/clear", methods=["POST"])
def clear():
    request.session.clear()
    return ""


def parse_command_line():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", default=0, help="0: any that is free", type=int)
    parser.add_argument("--cookie-secret", help="signs the cookie")
    parser.add_argument("--session-redis")
    parser.add_argument("--session-redis-prefix")
    parser.add_argument("--session-expire", type=int)
    parser.add_argument("--session-cookie-id")
    return parser.parse_args()


def main():
    options = parse_command_line()
    app.config["SECRET_KEY"] = options.cookie_secret
    app.config["SESSION_REDIS"] = options.session_redis
    app.config["SESSION_REDIS_PREFIX"] = options.session_redis_prefix
    app.config["SESSION_EXPIRE"] = options.session_expire
    app.config["SESSION_COOKIE_ID"] = options.session_cookie_id
    setup_session(app)
    # Logs errors only, not every request.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", options.port, app, threaded=True)
    print("listening on", server.server_port, flush=True)
    server.serve_forever()


main()
