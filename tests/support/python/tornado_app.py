"""A small server on Tornado, with sessions from the Python package redis_session.

The options are those of the package, and these:

    python tornado_app.py --port=0 --cookie-secret=SECRET --session-redis=URL
"""

import asyncio
import json

from redis_session.tornado_session import SessionHandler
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.options import define, options
from tornado.web import Application

import actions

define("port", default=0, help="0: any that is free", type=int)
define("cookie-secret", help="signs the cookie", type=str)


class Get(SessionHandler):
    def get(self, action):
        self.finish(actions.GET[action](self.session, actions.parameters(self.request.query)))


class Post(SessionHandler):
    def post(self, action):
        self.finish(actions.POST[action](self.session, actions.parameters(self.request.query)))


class Save(SessionHandler):
    def post(self):
        self.session = json.loads(self.request.body)


class Clear(SessionHandler):
    def post(self):
        del self.session


async def main():
    options.parse_command_line()
    routes = [
        (f"/({'|'.join(actions.GET)})", Get),
        (f"/({'|'.join(actions.POST)})", Post),
        ("/save", Save),
        ("/clear", Clear),
    ]
    server = HTTPServer(Application(routes, cookie_secret=options.cookie_secret))
    sockets = bind_sockets(options.port, "127.0.0.1")
    server.add_sockets(sockets)
    print("listening on", sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
