/** A record that JSON, tsv and templates cannot hold, among others that they can. */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

test('a record above 256 MiB is named where it is text, printed where it is bytes, and takes no other with it', async (t) => {
  const cli = makeCli(t)
  const timeoutMs = 120_000
  const bytes = 269_000_000
  await cli.shell(
    `logq topic create t max.message.bytes=1GiB; { echo first; head -c ${bytes} /dev/zero | tr '\\0' a; echo; echo last; } | logq produce t --batch-bytes 1000`,
    { timeoutMs },
  )
  const rows: readonly [command: string, bytes: string, tooLargeFor: string | undefined][] = [
    ["cat t -F '%v\\n'", '11', 'a template'],
    ['cat t -F tsv | cut -f 3,6', '15', 'tsv'],
    ['cat t -J | grep -o \'"value":"[a-z]*"\' | wc -l', '', 'JSON'],
    ["tail t -F '%v\\n'", '11', 'a template'],
    ['cat t', String(bytes + 12), undefined],
    ['cat t --format batch | tail -c 100', '100', undefined],
    ["cat t -F '%V\\n'", '14', undefined],
    ["cat t -J --no-value | grep -o 'Bytes\":[0-9]*' | tail -c 12", '12', undefined],
  ]
  for (const [command, size, tooLargeFor] of rows) {
    const [reader = '', ...filters] = command.split(' | ')
    const script = [`{ logq ${reader}; echo "status $?" >&2; }`, ...filters, ...(size === '' ? [] : ['wc -c'])].join(' | ')
    const done = await cli.shell(script, { timeoutMs })
    t.is(done.stdout.toString(), `${size === '' ? '2' : size}\n`, command)
    t.true(done.stderr.endsWith(`status ${tooLargeFor === undefined ? 0 : 1}\n`), done.stderr)
    if (tooLargeFor !== undefined)
      t.true(done.stderr.includes(`the record 't:0@1' is too large for ${tooLargeFor}\n`), done.stderr)
  }
})
