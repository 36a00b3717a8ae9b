/** Walks the declarations behind lib/index.ts, as a user's compiler and editor would, and gives what they mention. */
import { join } from 'node:path'
import ts from 'typescript'
import { projectRoot } from '../helpers/project.js'

export interface PublicTypes {
  /** Names that lib/index.ts exports. */
  readonly exported: ReadonlySet<string>
  /** Types of this project that a public declaration mentions and that are not exported, as `name (mentioned by …)`. */
  readonly hidden: readonly string[]
  /** Public declarations that mention Buffer. */
  readonly withBuffer: readonly string[]
  /** Exported functions and public methods without a doc comment. */
  readonly undocumented: readonly string[]
}

export function readPublicTypes(): PublicTypes {
  const index = join(projectRoot, 'lib', 'index.ts')
  const program = ts.createProgram([index], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  })
  const source = program.getSourceFile(index)
  if (source === undefined) throw new Error(`${index} is missing`)
  return new Walk(program.getTypeChecker(), source).run()
}

class Walk {
  private readonly hidden = new Set<string>()
  private readonly withBuffer = new Set<string>()
  private readonly undocumented = new Set<string>()
  private readonly exported = new Map<ts.Symbol, string>()

  constructor(
    private readonly checker: ts.TypeChecker,
    source: ts.SourceFile,
  ) {
    const module = checker.getSymbolAtLocation(source)
    for (const symbol of module === undefined ? [] : checker.getExportsOfModule(module)) {
      this.exported.set(this.original(symbol), symbol.name)
    }
  }

  run(): PublicTypes {
    for (const [symbol, name] of this.exported) {
      for (const declaration of symbol.declarations ?? []) this.declaration(declaration, name)
    }
    return {
      exported: new Set(this.exported.values()),
      hidden: [...this.hidden].sort(),
      withBuffer: [...this.withBuffer].sort(),
      undocumented: [...this.undocumented].sort(),
    }
  }

  private original(symbol: ts.Symbol): ts.Symbol {
    return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : this.checker.getAliasedSymbol(symbol)
  }

  private declaration(node: ts.Node, name: string): void {
    if (ts.isClassDeclaration(node)) {
      for (const clause of node.heritageClauses ?? []) this.mentions(clause, name)
      for (const member of node.members)
        if (isPublic(member)) this.member(member, `${name}.${member.name?.getText() ?? 'constructor'}`)
    } else if (ts.isFunctionDeclaration(node)) {
      this.member(node, name)
    } else if (ts.isVariableDeclaration(node)) {
      if (node.type !== undefined) this.mentions(node.type, name)
    } else {
      this.mentions(node, name)
    }
  }

  /** A function, method or property: its body is nobody's business. */
  private member(node: ts.FunctionDeclaration | ts.ClassElement, name: string): void {
    if ((ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) && ts.getJSDocCommentsAndTags(node).length === 0)
      this.undocumented.add(name)
    ts.forEachChild(node, (child) => {
      if (!ts.isBlock(child)) this.mentions(child, name)
    })
  }

  private mentions(node: ts.Node, name: string): void {
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const expression = ts.isTypeReferenceNode(node) ? node.typeName : node.expression
      const symbol = this.checker.getSymbolAtLocation(expression)
      if (symbol !== undefined) this.reference(this.original(symbol), name)
    }
    ts.forEachChild(node, (child) => {
      if (!ts.isBlock(child)) this.mentions(child, name)
    })
  }

  private reference(symbol: ts.Symbol, name: string): void {
    if (symbol.name === 'Buffer') this.withBuffer.add(name)
    if ((symbol.flags & ts.SymbolFlags.TypeParameter) !== 0 || this.exported.has(symbol)) return
    const isOurs = symbol.declarations?.some((declaration) =>
      declaration.getSourceFile().fileName.startsWith(join(projectRoot, 'lib')),
    )
    if (isOurs === true) this.hidden.add(`${symbol.name} (mentioned by ${name})`)
  }
}

function isPublic(member: ts.ClassElement): boolean {
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return false
  return (ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) === 0
}
