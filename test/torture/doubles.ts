/**
 * Test doubles of the program that do wrong on purpose, as shell commands in front of it: a run with one of them has to fail. They show
 * that the driver and the checker notice; what breaks inside the program is for mutants of its sources, driven with --bundle.
 */
export const doubles = {
  /** Every twentieth line of a producer's input gets lost; exit status 0 all the same. */
  'drop-line': `[ "$1" = produce ] && exec < <(exec sed -u '20~20d')`,
  /** Printed offsets that end in 7 are one too high. */
  'lie-offset': `[ "$1" = produce ] && exec > >(exec sed -u 's/@\\([0-9]*\\)7$/@\\18/')`,
  /** Who names partition 0 appends to a store of its own: some producers, and always those of the last look. */
  'second-store': `[ "$1" = produce ] && [[ " $* " = *' -p 0 '* ]] && LOGQ_STORE=$LOGQ_STORE.other`,
  /** Readers miss the newest record. */
  'stale-reader': `[ "$1" = cat ] && exec > >(exec sed -u '$d')`,
  /** A producer's fifth line is stored twice. */
  'repeat-line': `[ "$1" = produce ] && exec < <(exec sed -u '5p')`,
  /** Damage is not reported. */
  'blind-fsck': `[ "$1" = fsck ] && exec > >(exec grep --line-buffered -v '"damage"')`,
  /** Every twentieth line that a member of a group prints gets lost; what it commits says otherwise. */
  'drop-delivery': `[ "$1" = consume ] && exec > >(exec sed -u '20~20d')`,
  /** One member in four begins without what its group committed. */
  'forget-commits': `[ "$1" = consume ] && [ $((RANDOM % 4)) = 0 ] && rm -f "$LOGQ_STORE"/groups/*/offsets`,
} as const

export type Double = keyof typeof doubles
