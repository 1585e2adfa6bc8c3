"""Carries bytes between a TCP port, which it prints, and the Unix socket that its argument names."""

import asyncio
import sys


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def serve(reader, writer):
    from_unix, to_unix = await asyncio.open_unix_connection(sys.argv[1])
    await asyncio.gather(copy(reader, to_unix), copy(from_unix, writer))
    writer.close()
    to_unix.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
