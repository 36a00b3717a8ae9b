/**
 * Reads the transcripts of this folder (README.md says how they are written) and judges what a run of one printed.
 */

/** A section of a page: what somebody does with logq, in steps that share a directory and a store. */
export interface Transcript {
  readonly title: string
  /** Programs beside a POSIX system's own that its steps use. */
  readonly needs: readonly string[]
  /** Shells that can read its steps. */
  readonly shells: readonly string[]
  readonly steps: readonly Step[]
}

/** A script of its own, and everything that can be seen of its run. */
export interface Step {
  readonly script: string
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

const everyShell = ['sh', 'bash']

/** The sections of a page. Throws for a page that is not written as README.md says: a mistyped word must not leave a test out. */
export function parseTranscripts(markdown: string): Transcript[] {
  const [, ...sections] = markdown.split(/^## /m)
  return sections.map((section) => {
    const title = section.slice(0, section.indexOf('\n'))
    const steps: { script: string; stdout: string; stderr: string; status: number }[] = []
    let needs: string[] = []
    let shells = everyShell
    for (const { fence, text } of partsOf(section)) {
      const step = steps.at(-1)
      if (fence === 'sh') {
        steps.push({ script: text, stdout: '', stderr: '', status: 0 })
      } else if (fence === undefined) {
        const status = /^Exit status (\d+)/m.exec(text)?.[1]
        if (status !== undefined && step === undefined) throw new Error(`'${title}': an exit status before the first script`)
        if (status !== undefined && step !== undefined) step.status = Number(status)
        needs = /^Needs: (.+)\.$/m.exec(text)?.[1]?.split(', ') ?? needs
        shells = /^Shell: (.+)\.$/m.exec(text)?.[1]?.split(', ') ?? shells
      } else if (step === undefined || (fence !== 'text' && fence !== 'stderr')) {
        throw new Error(`'${title}': a block '${fence}' that belongs to no script`)
      } else {
        step[fence === 'text' ? 'stdout' : 'stderr'] = text
      }
    }
    if (steps.length === 0) throw new Error(`'${title}': no script`)
    return { title, needs, shells, steps }
  })
}

interface Part {
  /** The word after the backquotes; undefined for prose. */
  readonly fence: string | undefined
  readonly text: string
}

function partsOf(section: string): Part[] {
  const parts: Part[] = []
  let from = 0
  for (const match of section.matchAll(/^```(\w*)\n(.*?)^```$/gms)) {
    parts.push({ fence: undefined, text: section.slice(from, match.index) })
    parts.push({ fence: match[1] ?? '', text: match[2] ?? '' })
    from = match.index + match[0].length
  }
  parts.push({ fence: undefined, text: section.slice(from) })
  return parts
}

/** What a page may show in place of what differs from run to run. */
const placeholders: Readonly<Record<string, string>> = {
  '<N>': '\\d+',
  '<MS>': '\\d{13}',
  '<TIME>': '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z',
}

/** True when `printed` is what the page shows, in which the directory of the run is called /tmp/here. */
export function isAsShown(shown: string, printed: string, directory: string): boolean {
  const pattern = shown
    .split(/(<N>|<MS>|<TIME>)/)
    .map((part) => placeholders[part] ?? escaped(part.replaceAll('/tmp/here', directory)))
    .join('')
  return new RegExp(`^${pattern}$`).test(printed)
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}
