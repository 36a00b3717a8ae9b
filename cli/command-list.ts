/**
 * The table of contents of the tool: every command, in the order in which `logq --help` shows them. A command's file is evaluated
 * when it is run or described, not at every start; add one line here and its file in commands/.
 */
import type { Command } from './command.js'

export interface CommandEntry {
  /** As typed after `logq`, the same as in the declaration: 'topic create'. */
  readonly name: string
  readonly load: () => Promise<Command>
}

export interface CommandGroup {
  readonly title: string
  readonly commands: readonly CommandEntry[]
}

export const commandGroups: readonly CommandGroup[] = [
  {
    title: 'Records',
    commands: [
      { name: 'produce', load: async () => (await import('./commands/produce.js')).command },
      { name: 'cat', load: async () => (await import('./commands/cat.js')).command },
      { name: 'tail', load: async () => (await import('./commands/tail.js')).command },
      { name: 'get', load: async () => (await import('./commands/get.js')).command },
      { name: 'wait', load: async () => (await import('./commands/wait.js')).command },
      { name: 'stat', load: async () => (await import('./commands/stat.js')).command },
      { name: 'import', load: async () => (await import('./commands/import.js')).command },
      { name: 'export', load: async () => (await import('./commands/export.js')).command },
    ],
  },
  {
    title: 'Topics',
    commands: [
      { name: 'topic create', load: async () => (await import('./commands/topic-create.js')).command },
      { name: 'topic ls', load: async () => (await import('./commands/topic-ls.js')).command },
      { name: 'topic show', load: async () => (await import('./commands/topic-show.js')).command },
      { name: 'topic set', load: async () => (await import('./commands/topic-set.js')).command },
      { name: 'topic add-partitions', load: async () => (await import('./commands/topic-add-partitions.js')).command },
      { name: 'topic clone', load: async () => (await import('./commands/topic-clone.js')).command },
      { name: 'topic rm', load: async () => (await import('./commands/topic-rm.js')).command },
      { name: 'partition-of', load: async () => (await import('./commands/partition-of.js')).command },
    ],
  },
  {
    title: 'Consumer groups',
    commands: [
      { name: 'consume', load: async () => (await import('./commands/consume.js')).command },
      { name: 'lag', load: async () => (await import('./commands/lag.js')).command },
      { name: 'group ls', load: async () => (await import('./commands/group-ls.js')).command },
      { name: 'group show', load: async () => (await import('./commands/group-show.js')).command },
      { name: 'group seek', load: async () => (await import('./commands/group-seek.js')).command },
      { name: 'group skip', load: async () => (await import('./commands/group-skip.js')).command },
      { name: 'group undo', load: async () => (await import('./commands/group-undo.js')).command },
      { name: 'group rm', load: async () => (await import('./commands/group-rm.js')).command },
      { name: 'group rename', load: async () => (await import('./commands/group-rename.js')).command },
    ],
  },
  {
    title: 'Care',
    commands: [
      { name: 'retain', load: async () => (await import('./commands/retain.js')).command },
      { name: 'trim', load: async () => (await import('./commands/trim.js')).command },
      { name: 'compact', load: async () => (await import('./commands/compact.js')).command },
      { name: 'fsck', load: async () => (await import('./commands/fsck.js')).command },
      { name: 'dump', load: async () => (await import('./commands/dump.js')).command },
      { name: 'doctor', load: async () => (await import('./commands/doctor.js')).command },
      { name: 'du', load: async () => (await import('./commands/du.js')).command },
      { name: 'check', load: async () => (await import('./commands/check.js')).command },
      { name: 'metrics', load: async () => (await import('./commands/metrics.js')).command },
      { name: 'digest', load: async () => (await import('./commands/digest.js')).command },
      { name: 'archive', load: async () => (await import('./commands/archive.js')).command },
      { name: 'restore', load: async () => (await import('./commands/restore.js')).command },
      { name: 'snapshot', load: async () => (await import('./commands/snapshot.js')).command },
      { name: 'snapshot ls', load: async () => (await import('./commands/snapshot-ls.js')).command },
      { name: 'snapshot rm', load: async () => (await import('./commands/snapshot-rm.js')).command },
    ],
  },
]
