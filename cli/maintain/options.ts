/** Options of the commands that care for topics, as cron runs them. */
export const noWait = {
  kind: 'flag',
  meaning: 'Do not wait for a lock that another process holds: exit with status 75, try again.',
} as const
