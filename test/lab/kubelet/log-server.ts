import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { ServerResponse } from 'node:http'
import { logFile } from './pod-worker.ts'

/** `kubectl logs` of the API server ends here: GET /containerLogs/NAMESPACE/POD/CONTAINER?follow&tailLines&previous */
export function serveLogs(
  folder: string,
  port: number,
  tls: { readonly cert: string; readonly key: string },
): Promise<Server> {
  const server = createServer(
    { cert: readFileSync(tls.cert), key: readFileSync(tls.key) },
    (req, res) => {
      const url = new URL(req.url ?? '/', 'https://kubelet')
      const [, kind, ...names] = url.pathname.split('/')
      const [namespace, pod, container] = names
      if (kind !== 'containerLogs' || !namespace || !pod || !container)
        return void res
          .writeHead(404)
          .end("the lab's kubelet serves logs only: no exec, no attach\n")
      const previous = url.searchParams.get('previous') === 'true'
      const file = logFile(folder, namespace, pod, container) + (previous ? '.previous' : '')
      if (!existsSync(file)) return void res.writeHead(404).end('no output yet\n')
      res.writeHead(200, { 'content-type': 'text/plain' })
      const tail = url.searchParams.get('tailLines')
      const from = tail === null ? 0 : startOfLast(file, Number(tail))
      if (url.searchParams.get('follow') === 'true') follow(file, from, res)
      else res.end(readFileSync(file).subarray(from))
    },
  )
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function startOfLast(file: string, lines: number): number {
  const text = readFileSync(file)
  let at = text.length - 1
  for (let seen = 0; at > 0; at--) if (text[at - 1] === 10 && ++seen === lines) return at
  return lines === 0 ? text.length : 0
}

/** Until the reader goes away. */
function follow(file: string, from: number, res: ServerResponse): void {
  let at = from
  const more = (): void => {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
    if (size <= at) return
    const chunk = Buffer.alloc(size - at)
    const fd = openSync(file, 'r')
    at += readSync(fd, chunk, 0, chunk.length, at)
    closeSync(fd)
    res.write(chunk)
  }
  more()
  const timer = setInterval(more, 200)
  res.once('close', () => clearInterval(timer))
}
