/** All generated manual pages, by file name, from the command list. `.config/man.mjs` writes them; a test holds man/ to them. */
import type { Command } from '../command.js'
import type { CommandGroup } from '../command-list.js'
import { renderMainPage } from './man-main.js'
import { pageName, renderGroupPage, renderManPage } from './man.js'
import { version } from '../version.js'

/** What NAME says on a page that several commands share. */
const groupSummaries: Readonly<Record<string, string>> = {
  group: 'list, show, set, rename and remove consumer groups',
  snapshot: 'make, list and remove snapshots of a store',
  topic: 'make, list, show, change, clone and remove topics',
}

export async function renderAllPages(groups: readonly CommandGroup[]): Promise<Map<string, string>> {
  const sections = await Promise.all(
    groups.map(async ({ title, commands }) => ({ title, commands: await Promise.all(commands.map((entry) => entry.load())) })),
  )
  const pages = new Map([['logq.1', renderMainPage(sections, version)]])
  const byPage = new Map<string, Command[]>()
  for (const command of sections.flatMap(({ commands }) => commands)) {
    const name = pageName(command.name)
    byPage.set(name, [...(byPage.get(name) ?? []), command])
  }
  for (const [name, commands] of byPage) {
    const [first] = commands
    if (first === undefined) continue
    const word = name.slice('logq-'.length)
    const alone = commands.length === 1 && first.name === word
    pages.set(
      `${name}.1`,
      alone ? renderManPage(first, version) : renderGroupPage(word, groupSummaries[word] ?? word, commands, version),
    )
  }
  return pages
}
