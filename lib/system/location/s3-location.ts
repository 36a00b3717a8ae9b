/**
 * A prefix in an S3 bucket as a location, by @aws-sdk/client-s3, which is loaded when the first one is opened. Region, endpoint and
 * credentials come from where the AWS tools take them: AWS_REGION, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_PROFILE, AWS_ACCESS_KEY_ID …,
 * and the files in ~/.aws. With an endpoint in the environment the bucket is part of the path, as other servers than Amazon's want it.
 */
import { createRequire } from 'node:module'
import type * as S3 from '@aws-sdk/client-s3'
import { LogqError, isLogqError, systemErrorCode } from '../../errors.js'
import type { Location } from './location.js'

const PACKAGE = '@aws-sdk/client-s3'
/** Every part of an upload but the last; S3 takes none below 5 MiB, and at most 10,000 of them. */
const PART_BYTES = 8 << 20
const CONNECTION_TIMEOUT_MS = 10_000
/** Without a byte in either direction; the client then tries again. */
const IDLE_TIMEOUT_MS = 60_000
/** What was cut off while the object came in, which the client itself does not repeat. */
const READ_ATTEMPTS = 3
const DEFAULT_REGION = 'us-east-1'

export function isS3(text: string): boolean {
  return text.startsWith('s3://')
}

export class S3Location implements Location {
  private constructor(
    private readonly s3: typeof S3,
    private readonly client: S3.S3Client,
    readonly name: string,
    private readonly bucket: string,
    private readonly prefix: string,
  ) {}

  /** Throws LOGQ_USAGE, or LOGQ_IO when the package is not installed. Nothing is sent yet. */
  static open(text: string, idleTimeoutMs = IDLE_TIMEOUT_MS): S3Location {
    const match = /^s3:\/\/([^/]+)(?:\/(.*?))?\/*$/s.exec(text)
    const [, bucket = '', prefix = ''] = match ?? []
    if (bucket === '')
      throw new LogqError('LOGQ_USAGE', `'${text}' names no bucket`, { hint: 'for example s3://BUCKET/PREFIX' })
    const s3 = loadClient()
    const { env } = process
    const hasEndpoint = [env['AWS_ENDPOINT_URL'], env['AWS_ENDPOINT_URL_S3']].some((url) => (url ?? '') !== '')
    const hasRegion = [env['AWS_REGION'], env['AWS_PROFILE']].some((value) => (value ?? '') !== '')
    const client = new s3.S3Client({
      forcePathStyle: hasEndpoint,
      ...(hasEndpoint && !hasRegion ? { region: DEFAULT_REGION } : {}),
      // Everything is read back and compared by its SHA-256, and older servers do not know these.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: idleTimeoutMs },
    })
    return new S3Location(s3, client, prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`, bucket, prefix)
  }

  async list(folder: string, signal?: AbortSignal): Promise<string[]> {
    const key = this.#key(folder)
    const prefix = key === '' ? '' : `${key}/`
    const topLength = this.prefix === '' ? 0 : this.prefix.length + 1
    const files: string[] = []
    for (let token: string | undefined; ;) {
      const page = await this.#send('list', prefix, () =>
        this.client.send(
          new this.s3.ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix, ContinuationToken: token }),
          abortedBy(signal),
        ),
      )
      for (const { Key = '' } of page.Contents ?? []) files.push(Key.slice(topLength))
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
      if (token === undefined) return files.sort()
    }
  }

  async sizeOf(file: string, signal?: AbortSignal): Promise<number | undefined> {
    const where = { Bucket: this.bucket, Key: this.#key(file) }
    try {
      const head = await this.#send('look at', where.Key, () =>
        this.client.send(new this.s3.HeadObjectCommand(where), abortedBy(signal)),
      )
      return head.ContentLength
    } catch (error) {
      // A HEAD has no body that could say more: a bucket that is not there is told from an object by listing it.
      if (statusOf(error) !== 404) throw error
      await this.#send('list', where.Key, () =>
        this.client.send(
          new this.s3.ListObjectsV2Command({ Bucket: this.bucket, Prefix: where.Key, MaxKeys: 1 }),
          abortedBy(signal),
        ),
      )
      return undefined
    }
  }

  async read(file: string, position: number, lengthBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    if (lengthBytes === 0) return new Uint8Array(0)
    const Key = this.#key(file)
    const Range = `bytes=${position}-${position + lengthBytes - 1}`
    try {
      return await this.#send('read', Key, () => this.#range({ Bucket: this.bucket, Key, Range }, lengthBytes, signal))
    } catch (error) {
      // The object ends before the range.
      if (statusOf(error) === 416) return new Uint8Array(0)
      throw error
    }
  }

  async #range(
    wanted: { readonly Bucket: string; readonly Key: string; readonly Range: string },
    lengthBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt += 1) {
      const { Body, ContentLength = 0 } = await this.client.send(new this.s3.GetObjectCommand(wanted), abortedBy(signal))
      if (ContentLength > lengthBytes) {
        await Body?.transformToWebStream().cancel()
        throw new Error('the server gives more than the range that was asked for')
      }
      try {
        return (await Body?.transformToByteArray()) ?? new Uint8Array(0)
      } catch (error) {
        if (signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', `stopped while '${wanted.Key}' was read`)
        if (attempt === READ_ATTEMPTS) throw error
      }
    }
  }

  async put(file: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const Key = this.#key(file)
    const where = { Bucket: this.bucket, Key }
    let upload: PartedUpload | undefined
    let held: Uint8Array[] = []
    let heldBytes = 0
    const take = () => {
      const body = Buffer.concat(held)
      held = []
      heldBytes = 0
      return body
    }
    try {
      for await (const piece of pieces) {
        held.push(Buffer.from(piece))
        heldBytes += piece.length
        if (heldBytes < PART_BYTES) continue
        upload ??= await this.#beginUpload(Key, signal)
        await upload.add(take())
      }
      if (upload === undefined) {
        await this.#send('write', Key, () =>
          this.client.send(new this.s3.PutObjectCommand({ ...where, Body: take() }), abortedBy(signal)),
        )
        return
      }
      if (heldBytes > 0) await upload.add(take())
      await upload.complete()
    } catch (error) {
      await upload?.abandon()
      throw error
    }
  }

  async remove(file: string, signal?: AbortSignal): Promise<void> {
    const Key = this.#key(file)
    await this.#send('remove', Key, () =>
      this.client.send(new this.s3.DeleteObjectCommand({ Bucket: this.bucket, Key }), abortedBy(signal)),
    )
  }

  sweep(): void {
    // An upload that was cut off is no object; the life cycle rules of the bucket remove its parts.
  }

  close(): void {
    this.client.destroy()
  }

  async #beginUpload(Key: string, signal: AbortSignal | undefined): Promise<PartedUpload> {
    const where = { Bucket: this.bucket, Key }
    const send = <Result>(call: () => Promise<Result>) => this.#send('write', Key, call)
    const { s3, client } = this
    const { UploadId } = await send(() => client.send(new s3.CreateMultipartUploadCommand(where), abortedBy(signal)))
    const parts: { PartNumber: number; ETag: string | undefined }[] = []
    return {
      async add(Body) {
        const PartNumber = parts.length + 1
        const { ETag } = await send(() =>
          client.send(new s3.UploadPartCommand({ ...where, UploadId, PartNumber, Body }), abortedBy(signal)),
        )
        parts.push({ PartNumber, ETag })
      },
      async complete() {
        const MultipartUpload = { Parts: parts }
        await send(() =>
          client.send(new s3.CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload }), abortedBy(signal)),
        )
      },
      async abandon() {
        try {
          await client.send(new s3.AbortMultipartUploadCommand({ ...where, UploadId }))
        } catch {
          // What failed before is what the caller has to hear about.
        }
      },
    }
  }

  #key(file: string): string {
    return this.prefix === '' || file === '' ? this.prefix + file : `${this.prefix}/${file}`
  }

  async #send<Result>(verb: string, key: string, call: () => Promise<Result>): Promise<Result> {
    try {
      return await call()
    } catch (error) {
      throw failureOf(error, verb, `s3://${this.bucket}/${key}`, this.bucket)
    }
  }
}

interface PartedUpload {
  add(part: Uint8Array): Promise<void>
  complete(): Promise<void>
  /** Never throws. */
  abandon(): Promise<void>
}

function abortedBy(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal }
}

function loadClient(): typeof S3 {
  // It warns on standard error of versions of Node.js that it will not support some day.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  try {
    // Not import(): the bundle, compiled ahead, has none.
    return createRequire(import.meta.url)(PACKAGE) as typeof S3
  } catch (error) {
    if (systemErrorCode(error) !== 'MODULE_NOT_FOUND') throw error
    throw new LogqError('LOGQ_IO', `s3:// needs the package '${PACKAGE}', which is not installed`, {
      hint: `where logq is installed: npm install -g ${PACKAGE}; in a checkout: npm ci`,
      cause: error,
    })
  }
}

/** Of the answer, also behind the error that `failureOf` makes. */
function statusOf(error: unknown): number | undefined {
  const cause = error instanceof LogqError ? error.cause : error
  if (typeof cause !== 'object' || cause === null || !('$metadata' in cause)) return undefined
  const metadata: unknown = cause.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

function failureOf(error: unknown, verb: string, object: string, bucket: string): LogqError {
  if (isLogqError(error)) return error
  const { name = '', message = '' } = error instanceof Error ? error : {}
  const failed = (why: string, hint: string) =>
    new LogqError('LOGQ_IO', `cannot ${verb} '${object}': ${why}`, { hint, cause: error })
  if (name === 'AbortError') return new LogqError('LOGQ_ABORTED', `stopped while '${object}' was in work`, { cause: error })
  if (name === 'NoSuchBucket') return failed(`bucket '${bucket}' does not exist`, `make it first: aws s3 mb s3://${bucket}`)
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return failed('there are no credentials', 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
  const status = statusOf(error)
  if (status === 401 || status === 403)
    return failed(
      'access is denied',
      `see whether the credentials are right and may ${verb} there: aws sts get-caller-identity`,
    )
  const code = systemErrorCode(error)
  if (code !== undefined || name === 'TimeoutError')
    return failed(
      name === 'TimeoutError' ? 'the server did not answer in time' : message === '' ? (code ?? name) : message.toLowerCase(),
      'see whether the server runs and AWS_ENDPOINT_URL is right, then run the command again',
    )
  if (/region is missing/i.test(message)) return failed('no region is set', 'set AWS_REGION')
  return failed(
    message === '' || message === 'UnknownError' ? `${name} ${status ?? ''}`.trim() : message,
    'run the command again',
  )
}
