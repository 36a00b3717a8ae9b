/** What a check found. */

export interface Finding {
  /**
   * damage: records were lost or cannot be read. cache: an index or another file that is rebuilt from the log is wrong. note:
   * worth knowing; the next append, or nobody, needs to deal with it.
   */
  readonly kind: 'damage' | 'cache' | 'note'
  readonly file: string
  /** Byte place in the file. */
  readonly position?: number
  /** First offset that is concerned. */
  readonly offset?: number
  readonly message: string
}
