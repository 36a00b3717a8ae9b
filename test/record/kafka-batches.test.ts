import test from 'ava'
import { RecordBatch } from '../../lib/record/batch.js'
import { CODECS, loadCodec } from '../../lib/record/compression.js'
import { content } from './arbitrary-records.js'

// One batch of three records in each codec as the Java classes of Kafka 3.9.0 wrote them (MemoryRecordsBuilder). Their zstd frame
// has no content size, their gzip header no name, their snappy stream is framed.
const written: Record<(typeof CODECS)[number], string> = {
  none:
    'AAAAAAAAACoAAACE/////wKXknWKAAAAAAACAAABi8/laAAAAAGLz+Vo+v//////////////////AAAAA3gAAAAMdXNlci0xOmhlbGxvIGhlbGxvIGhlbGxv' +
    'IGhlbGxvIGhlbGxvBAxzb3VyY2UGd2ViDHNvdXJjZQEaAPQDAgx1c2VyLTEBAA4Azw8EAQAA',
  gzip:
    'AAAAAAAAACoAAAB5/////wI1lWcHAAEAAAACAAABi8/laAAAAAGLz+Vo+v//////////////////AAAAAx+LCAAAAAAAAP+rYGBg4CktTi3SNbTKSM3JyVfA' +
    'QbLwFOeXFiWnspWnJkGZjFIMX5iZoLoZGfgYzvOzMDIwAAD9cZY1UwAAAA==',
  snappy:
    'AAAAAAAAACoAAAB//////wJ3R507AAIAAAACAAABi8/laAAAAAGLz+Vo+v//////////////////AAAAA4JTTkFQUFkAAAAAAQAAAAEAAAA6U0R4AAAADHVz' +
    'ZXItMTpoZWxsbyBaBgAsBAxzb3VyY2UGd2ViDQsUARoA9AMCDT4kAQAOAM8PBAEAAA==',
  lz4:
    'AAAAAAAAACoAAAB6/////wIOLriCAAMAAAACAAABi8/laAAAAAGLz+Vo+v//////////////////AAAAAwQiTRhgQII6AAAA/wN4AAAADHVzZXItMTpoZWxs' +
    'byAGAATDBAxzb3VyY2UGd2ViCwBjARoA9AMCPgCgAQAOAM8PBAEAAAAAAAA=',
  zstd:
    'AAAAAAAAACoAAAB3/////wI+Fi42AAQAAAACAAABi8/laAAAAAGLz+Vo+v//////////////////AAAAAyi1L/0AWNQBAOQCeAAAAAx1c2VyLTE6aGVsbG8g' +
    'BAxzb3VyY2UGd2ViARoA9AMCAQAOAM8PBAEAAAMAQcjFJUtSlzABAAA=',
}

for (const codec of CODECS) {
  test(`a ${codec} batch that Kafka wrote is read`, async (t) => {
    await loadCodec(codec)
    const batch = new RecordBatch(Buffer.from(written[codec], 'base64'))
    t.true(batch.crcMatches())
    t.is(batch.codec, codec)
    t.is(batch.partitionLeaderEpoch, -1)
    t.is(batch.lastOffset, 44)
    t.is(batch.maxTimestampMs, 1_700_000_000_250)
    const utf8 = (text: string) => Uint8Array.from(Buffer.from(text))
    const web = [
      { key: 'source', value: utf8('web') },
      { key: 'source', value: null },
    ]
    t.deepEqual(
      [...batch.records()].map(content),
      [
        { key: utf8('user-1'), value: utf8('hello hello hello hello hello'), headers: web, timestampMs: 1_700_000_000_000 },
        { key: utf8('user-1'), value: null, headers: [], timestampMs: 1_700_000_000_250 },
        { key: null, value: new Uint8Array(0), headers: [], timestampMs: 1_699_999_999_000 },
      ].map(content),
    )
  })
}
