/**
 * s3rver, an S3 server of npm, on loopback, behind a gate that notes what was asked for and can be made to hang. It refuses unknown
 * access keys, and does not compare signatures. Undefined packages: `hasS3` is false, and tests say that they were not run.
 */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { makeCli, type Cli } from './run-cli.js'

interface Server {
  run(): Promise<{ readonly port: number }>
  close(): Promise<void>
}

type ServerClass = new (options: object) => Server

function load(): ServerClass | undefined {
  const require = createRequire(import.meta.url)
  try {
    require.resolve('@aws-sdk/client-s3')
    return require('s3rver') as ServerClass
  } catch {
    return undefined
  }
}

const S3rver = load()
export const hasS3 = S3rver !== undefined

export interface RunningS3 {
  readonly cli: Cli
  readonly server: Server
  readonly env: Record<string, string>
}

/** With a bucket named `bucket`, whose files are in `s3` of the cli's directory. */
export async function startS3(t: ExecutionContext, port = 0, cli = makeCli(t)): Promise<RunningS3> {
  if (S3rver === undefined) throw new Error('no server')
  const server = new S3rver({
    port,
    address: '127.0.0.1',
    silent: true,
    directory: join(cli.directory, 's3'),
    configureBuckets: [{ name: 'bucket', configs: [] }],
  })
  const listening = await server.run()
  t.teardown(() => server.close().catch(() => undefined))
  return { cli, server, env: environment(listening.port) }
}

function environment(port: number): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    AWS_MAX_ATTEMPTS: '2',
  }
}

/** What was asked for and given of an object, or of a listing. */
export interface S3Request {
  readonly method: string
  /** The last part of the path. */
  readonly name: string
  readonly givenBytes: number
}

export interface GatedS3 extends RunningS3 {
  /** Since it was emptied last. */
  readonly requests: S3Request[]
  /** Requests that come from now on get no answer. */
  readonly hang: () => void
  /** How many are waiting for one. */
  readonly waiting: () => number
}

/** The same behind a gate; `env` leads to that. */
export async function startGatedS3(t: ExecutionContext): Promise<GatedS3> {
  const { cli, server, env } = await startS3(t)
  const target = new URL(env['AWS_ENDPOINT_URL'] ?? '')
  const requests: S3Request[] = []
  let isHanging = false
  let waiting = 0
  const gate = createServer((asked: IncomingMessage, answer: ServerResponse) => {
    if (isHanging) {
      waiting += 1
      return
    }
    const { method = '', url = '', headers } = asked
    const forwarded = request({ host: target.hostname, port: target.port, method, path: url, headers }, (given) => {
      let givenBytes = 0
      given.on('data', (piece: Buffer) => {
        givenBytes += piece.length
      })
      given.on('end', () => requests.push({ method, name: url.split('?')[0]?.split('/').at(-1) ?? '', givenBytes }))
      answer.writeHead(given.statusCode ?? 500, given.headers)
      given.pipe(answer)
    })
    forwarded.on('error', () => answer.destroy())
    asked.pipe(forwarded)
  })
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    gate.close()
    gate.closeAllConnections()
  })
  const address = gate.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    cli,
    server,
    env: environment(port),
    requests,
    hang: () => {
      isHanging = true
    },
    waiting: () => waiting,
  }
}
