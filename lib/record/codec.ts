/** Kafka's compression codecs by name. The place in CODECS is the number in a batch's attributes. */

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type Codec = (typeof CODECS)[number]

/** The number of a codec in a batch's attributes. */
export function codecNumber(codec: Codec): number {
  return CODECS.indexOf(codec)
}
