/** Base64 and hexadecimal as they are read: strictly, so that what was stored is what was meant. */

/** The bytes of canonical base64 (RFC 4648, padded, no line breaks); undefined for anything else. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  // Node.js skips what it does not know; only text that encodes back to itself was base64.
  return bytes.toString('base64') === text ? bytes : undefined
}

/** The bytes of an even number of hexadecimal digits; undefined for anything else. */
export function decodeHex(text: string): Uint8Array | undefined {
  return /^(?:[0-9a-fA-F]{2})*$/.test(text) ? Buffer.from(text, 'hex') : undefined
}
