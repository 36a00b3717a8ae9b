import test from 'ava'
import { RoffPage } from '../../../cli/man/roff.js'

function body(write: (page: RoffPage) => void): string[] {
  const page = new RoffPage({ name: 'logq-x', section: 1, version: '0.1.0' })
  write(page)
  return page.toString().trimEnd().split('\n').slice(2)
}

test('RoffPage begins with its title', (t) => {
  t.regex(
    new RoffPage({ name: 'logq-x', section: 1, version: '0.1.0' }).toString(),
    /^\.TH LOGQ\\-X 1 "\d{4}-\d\d-\d\d" "logq 0\.1\.0" "logq manual"$/m,
  )
})

test('RoffPage escapes what roff would obey', (t) => {
  t.deepEqual(
    body((page) => {
      page.paragraph(".begins 'quoted' a\\nb -x ~ ^ ` … größe")
    }),
    ['.PP', '\\&.begins \\(aqquoted\\(aq a\\enb \\-x \\(ti \\(ha \\(ga ... gr\\[u00F6]\\[u00DF]e'],
  )
})

test('RoffPage renders bold and italic, verbatim text, items and wrapped prose', (t) => {
  t.deepEqual(
    body((page) => {
      page.section('SOME "TITLE"')
      page.paragraph('**bold** and _italic_')
      page.paragraph('    a\n      b\n    .c')
      page.item('**-s** _PATH_', 'Meaning.')
      page.paragraph('word '.repeat(30).trim())
    }),
    [
      '.SH "SOME \\(dqTITLE\\(dq"',
      '\\fBbold\\fR and \\fIitalic\\fR',
      '.PP',
      '.RS 4',
      '.nf',
      'a',
      '  b',
      '\\&.c',
      '.fi',
      '.RE',
      '.TP',
      '\\fB\\-s\\fR \\fIPATH\\fR',
      'Meaning.',
      '.PP',
      'word '.repeat(16).trim(),
      'word '.repeat(14).trim(),
    ],
  )
})
