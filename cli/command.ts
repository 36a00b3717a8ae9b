/**
 * What a command is: one declaration from which the argument parser, --help, the man page and (later) the completions come, and
 * a `run` that gets its arguments typed from that declaration. Keep a declaration cheap: every start of logq may evaluate it.
 */
import type { ExitStatus } from './exit-status.js'
import type { Io } from './io.js'

interface OptionBase {
  /** The one-letter form, without the hyphen. The long form comes from the key: `batchBytes` is --batch-bytes. */
  readonly letter?: string
  /** What it does, as one or more sentences; used in --help (first sentence) and in the man page (all of it). */
  readonly meaning: string
}

interface ValueOptionBase extends OptionBase {
  /** What stands for the value in the synopsis, in capitals: 'PATH'. */
  readonly valueName?: string
  /** Shown in place of the default, or where a default is computed. */
  readonly defaultText?: string
}

/** True when given. A negation such as --no-create is a flag of its own name. */
export interface FlagOption extends OptionBase {
  readonly kind: 'flag'
}

/** Stands for another option with a value: -J is --format json. Has no value of its own in the parsed arguments. */
export interface ShorthandOption extends OptionBase {
  readonly kind: 'shorthand'
  /** Key of the option that it sets. */
  readonly sets: string
  /** The text that would have been typed as that option's value. */
  readonly to: string
}

export interface StringOption extends ValueOptionBase {
  readonly kind: 'string'
  readonly default?: string
}

/** A whole number, written `^(0|[1-9]\d*)$`. */
export interface IntegerOption extends ValueOptionBase {
  readonly kind: 'integer'
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: number
}

/** Bytes: `4096`, `64KiB`, `1MiB`, `2GiB`, `10kB`, `10MB` … */
export interface SizeOption extends ValueOptionBase {
  readonly kind: 'size'
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: number
}

/** Milliseconds: `500ms`, `5s`, `10m`, `2h`, `1d`, `1w`; a bare number is milliseconds. */
export interface DurationOption extends ValueOptionBase {
  readonly kind: 'duration'
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: number
}

export interface ChoiceOption<Choice extends string = string> extends ValueOptionBase {
  readonly kind: 'choice'
  readonly choices: readonly Choice[]
  readonly default?: Choice
}

/** May be given any number of times; the parsed value is an array in the order given. */
export interface ListOption<Item = unknown> extends ValueOptionBase {
  readonly kind: 'list'
  /** Throws a usage error (errors.ts) for text that is not one. Items stay strings without it. */
  readonly parse?: (text: string) => Item
}

/** A value with a grammar of its own, such as an offset or a template. */
export interface ParsedOption<Value = unknown> extends ValueOptionBase {
  readonly kind: 'parsed'
  /** Throws a usage error (errors.ts) for text that is not one. */
  readonly parse: (text: string) => Value
  /** Written as it would be typed. */
  readonly default?: string
}

export type OptionDeclaration =
  | FlagOption
  | ShorthandOption
  | StringOption
  | IntegerOption
  | SizeOption
  | DurationOption
  | ChoiceOption
  | ListOption
  | ParsedOption

/** Keys are camelCase; the long option is their kebab-case. */
export type OptionDeclarations = Readonly<Record<string, OptionDeclaration>>

export interface OperandDeclaration {
  /** As the synopsis shows it: 'TOPIC'. */
  readonly label: string
  readonly meaning: string
  /** At least one must be given. */
  readonly required?: boolean
  /** Takes all that are left; only the last operand may. */
  readonly repeated?: boolean
  /** Takes what stands after `--`, and nothing else: a command with its arguments. It is repeated, and the last one. */
  readonly isAfterDashes?: boolean
}

/** In the order in which they are typed. */
export type OperandDeclarations = Readonly<Record<string, OperandDeclaration>>

type WithDefault<Declaration, Value> = Declaration extends { readonly default: string | number } ? Value : Value | undefined

type OptionValue<Declaration> = Declaration extends { readonly kind: 'flag' }
  ? boolean
  : Declaration extends { readonly kind: 'string' }
    ? WithDefault<Declaration, string>
    : Declaration extends { readonly kind: 'integer' | 'size' | 'duration' }
      ? WithDefault<Declaration, number>
      : Declaration extends { readonly kind: 'choice'; readonly choices: readonly (infer Choice)[] }
        ? WithDefault<Declaration, Choice>
        : Declaration extends { readonly kind: 'list' }
          ? Declaration extends { readonly parse: (text: string) => infer Item }
            ? readonly Item[]
            : readonly string[]
          : Declaration extends { readonly kind: 'parsed'; readonly parse: (text: string) => infer Value }
            ? WithDefault<Declaration, Value>
            : never

type OperandValue<Declaration> = Declaration extends { readonly repeated: true }
  ? readonly string[]
  : Declaration extends { readonly required: true }
    ? string
    : string | undefined

/** What `run` gets: every declared option and operand by its key, an absent one undefined (false for a flag, [] for a list). */
export interface CommandArguments<Options, Operands> {
  readonly options: {
    readonly [Key in keyof Options as Options[Key] extends { readonly kind: 'shorthand' } ? never : Key]: OptionValue<
      Options[Key]
    >
  }
  readonly operands: { readonly [Key in keyof Operands]: OperandValue<Operands[Key]> }
}

export interface Example {
  /** The line as it is typed. */
  readonly command: string
  /** What it does, one sentence. */
  readonly meaning: string
}

/** Prose for the man page. `**bold**` and `_italic_` are rendered; a paragraph that begins with four spaces is shown verbatim. */
export interface ManSections {
  readonly description: readonly string[]
  readonly files?: readonly string[]
  readonly environment?: readonly string[]
  readonly assumptions?: readonly string[]
  /** Names such as 'logq-cat(1)'; logq(1) is always there. */
  readonly seeAlso?: readonly string[]
}

export interface CommandDeclaration<
  Options extends OptionDeclarations = OptionDeclarations,
  Operands extends OperandDeclarations = OperandDeclarations,
> {
  /** As typed after `logq`: 'produce', 'topic create'. */
  readonly name: string
  /** One line, lower case, no full stop, an imperative: 'append records from standard input or files'. */
  readonly summary: string
  readonly operands: Operands
  readonly options: Options
  readonly examples: readonly Example[]
  /** The statuses it can end with, besides 'done' and 'usage', which every command has. */
  readonly exits: readonly ExitStatus[]
  /** Says what a status means for this command where the table's words are too general. */
  readonly exitNotes?: Partial<Record<ExitStatus, string>>
  /**
   * Options that make it a plug-in for monitoring systems, or that it always is one: then whatever goes wrong is status 3, "unknown".
   */
  readonly monitoringOptions?: readonly string[] | 'always'
  readonly man: ManSections
}

/** A command with its types forgotten, as the list and the parser hold it. */
export interface Command extends CommandDeclaration {
  /** Returns what to exit with; what `io.merge` collected may outweigh it. Errors thrown are printed and mapped by code. */
  run(args: UntypedArguments, io: Io): Promise<ExitStatus | undefined>
}

export interface UntypedArguments {
  readonly options: Readonly<Record<string, unknown>>
  readonly operands: Readonly<Record<string, string | readonly string[] | undefined>>
}

/**
 * Declares a command. The types of `args` are inferred from `options` and `operands`:
 *
 *     export const command = defineCommand({
 *       name: 'cat', summary: '…',
 *       operands: { topics: { label: 'TOPIC', meaning: '…', required: true, repeated: true } },
 *       options: { store: options.store, offset: options.offset, limit: { kind: 'integer', letter: 'n', meaning: '…' } },
 *       exits: ['failed', 'corruption'], examples: [], man: { description: ['…'] },
 *       async run(args, io) { args.operands.topics /* readonly string[] *\/; args.options.limit /* number | undefined *\/ }
 *     })
 */
export function defineCommand<const Options extends OptionDeclarations, const Operands extends OperandDeclarations>(
  declaration: CommandDeclaration<Options, Operands> & {
    readonly run: (args: CommandArguments<Options, Operands>, io: Io) => Promise<ExitStatus | void>
  },
): Command {
  return {
    ...declaration,
    async run(args, io) {
      // The parser built `args` from this very declaration: this is the one place where the types are taken at its word.
      return (await declaration.run(args as CommandArguments<Options, Operands>, io)) ?? undefined
    },
  }
}
