/** What the tables cannot show in a line, and the test that does: its file, and a text that stands in it. */

interface Place {
  readonly file: string
  readonly by: string
}

export const shownElsewhere: {
  /** By command and option: 'tail --follow'. */
  readonly options: Readonly<Record<string, Place>>
  /** By command and number: 'produce: 5'. */
  readonly statuses: Readonly<Record<string, Place>>
} = {
  options: {},
  statuses: {},
}
