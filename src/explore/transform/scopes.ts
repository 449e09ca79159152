/** Which variable a name means: scopes, declarations, and where variables are assigned. */
import { bare, childrenOf, isArrow, isClass, isFunction, literalOf, type Node } from './syntax.ts'

export type VariableKind = 'param' | 'var' | 'let' | 'const' | 'function' | 'class' | 'import'

export interface Variable {
  readonly name: string
  readonly kind: VariableKind
  readonly scope: Scope
  /** Where it is declared. */
  readonly at: number
  /** Where it has the value of its declaration at last: behind that value, which may be a function that is called there. */
  readonly ready: number
  /** What it is bound to, if that never changes and is known: a function or a class. */
  bound: Node | undefined
  /** For an import: the module and the name there ('*' for all of it). */
  readonly from: { readonly module: string; readonly name: string } | undefined
  /** The offsets of everything that gives it a value after its declaration, or by it. */
  readonly assigned: number[]
  /** Assigned elsewhere than in its declaration. */
  changes: boolean
}

export class Scope {
  readonly node: Node
  readonly parent: Scope | undefined
  /** The function, static block or program whose variables these are. */
  readonly owner: Node
  readonly variables = new Map<string, Variable>()

  constructor(node: Node, parent: Scope | undefined, owner: Node) {
    this.node = node
    this.parent = parent
    this.owner = owner
  }

  resolve(name: string): Variable | undefined {
    return this.variables.get(name) ?? this.parent?.resolve(name)
  }
}

/** What is known of each node of a tree. */
export interface Scopes {
  readonly parents: ReadonlyMap<Node, Node>
  /** The scope in which a node stands; for a node that makes a scope, that scope. */
  readonly scopes: ReadonlyMap<Node, Scope>
  /** Functions (not arrows) that use `arguments`, themselves or in an arrow. */
  readonly usesArguments: ReadonlySet<Node>
}

/** The names that a pattern binds or assigns. */
export function namesIn(pattern: Node, found: Node[] = []): Node[] {
  const node = bare(pattern)
  if (node.type === 'Identifier') found.push(node)
  else if (node.type === 'AssignmentPattern') namesIn(node.left, found)
  else if (node.type === 'RestElement') namesIn(node.argument!, found)
  else if (node.type === 'Property') namesIn(node.value!, found)
  else if (node.type === 'ArrayPattern') for (const element of node.elements) if (element) namesIn(element, found)
  if (node.type === 'ObjectPattern') for (const property of node.properties) namesIn(property, found)
  return found
}

/** The text of a string literal. */
function textOf(literal: Node): string {
  return literalOf(literal) as string
}

const MAKES_SCOPE = new Set([
  'BlockStatement',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'SwitchStatement',
  'CatchClause',
  'StaticBlock',
])

class Builder implements Scopes {
  readonly parents = new Map<Node, Node>()
  readonly scopes = new Map<Node, Scope>()
  readonly usesArguments = new Set<Node>()

  constructor(program: Node) {
    const scope = new Scope(program, undefined, program)
    this.scopes.set(program, scope)
    for (const child of childrenOf(program)) this.visit(child, program, scope)
    this.resolveAssignments(program)
  }

  private bind(
    scope: Scope,
    kind: VariableKind,
    id: Node,
    bound?: Node,
    from?: Variable['from'],
    ready = id.start,
  ): void {
    const old = scope.variables.get(id.name)
    if (old !== undefined && kind === 'var') return
    scope.variables.set(id.name, {
      name: id.name,
      kind,
      scope,
      at: id.start,
      ready,
      bound,
      from,
      assigned: [],
      changes: false,
    })
  }

  private functionScope(scope: Scope): Scope {
    let at = scope
    while (at.node !== at.owner) at = at.parent!
    return at
  }

  private visit(node: Node, parent: Node, outer: Scope): void {
    this.parents.set(node, parent)
    let scope = outer
    if (isFunction(node)) scope = this.enterFunction(node, outer)
    else if (isClass(node)) scope = this.enterClass(node, outer)
    else if (MAKES_SCOPE.has(node.type) && !isFunction(parent)) {
      scope = new Scope(node, outer, node.type === 'StaticBlock' ? node : outer.owner)
    }
    this.scopes.set(node, scope)
    this.declarations(node, scope)
    if (node.type === 'CatchClause' && node.param) {
      for (const id of namesIn(node.param)) this.bind(scope, 'param', id)
    }
    if (node.type === 'Identifier' && node.name === 'arguments') this.markArguments(scope)
    for (const child of childrenOf(node)) this.visit(child, node, scope)
  }

  private enterFunction(node: Node, outer: Scope): Scope {
    if (node.type === 'FunctionDeclaration' && node.id) this.bind(outer, 'function', node.id, node)
    const scope = new Scope(node, outer, node)
    if (node.type === 'FunctionExpression' && node.id) this.bind(scope, 'function', node.id, node)
    for (const param of node.params) for (const id of namesIn(param)) this.bind(scope, 'param', id)
    return scope
  }

  private enterClass(node: Node, outer: Scope): Scope {
    if (node.type === 'ClassDeclaration' && node.id) this.bind(outer, 'class', node.id, node)
    const scope = new Scope(node, outer, outer.owner)
    if (node.id) this.bind(scope, 'class', node.id, node)
    return scope
  }

  private declarations(node: Node, scope: Scope): void {
    if (node.type === 'VariableDeclaration') {
      const kind = node.kind === 'var' || node.kind === 'let' ? node.kind : 'const'
      const target = kind === 'var' ? this.functionScope(scope) : scope
      for (const { id, init } of node.declarations) {
        const bound = init && (isFunction(init) || isClass(init)) && id!.type === 'Identifier' ? init : undefined
        const ready = init && bound === undefined ? init.end : id!.start
        for (const name of namesIn(id!)) this.bind(target, kind, name, bound, undefined, ready)
      }
    }
    if (node.type !== 'ImportDeclaration') return
    for (const specifier of node.specifiers) {
      const name =
        specifier.type === 'ImportDefaultSpecifier'
          ? 'default'
          : specifier.type === 'ImportNamespaceSpecifier'
            ? '*'
            : (specifier.imported.name ?? textOf(specifier.imported))
      const module = textOf(node.source!)
      this.bind(scope, 'import', specifier.local, undefined, { module, name })
    }
  }

  private markArguments(scope: Scope): void {
    let at: Scope | undefined = scope
    while (at !== undefined && (!isFunction(at.owner) || isArrow(at.owner))) {
      while (at !== undefined && at.node !== at.owner) at = at.parent
      at = at?.parent
    }
    if (at !== undefined) this.usesArguments.add(at.owner)
  }

  /** After all declarations are known, because a closure may assign what is declared after it. */
  private resolveAssignments(node: Node): void {
    const changed = (target: Node, at: number, isNew = false) => {
      for (const id of namesIn(target)) {
        const variable = this.scopes.get(id)?.resolve(id.name)
        if (variable === undefined) continue
        variable.assigned.push(at)
        if (isNew) continue
        variable.changes = true
        variable.bound = undefined
      }
    }
    if (node.type === 'AssignmentExpression') changed(node.left, node.start)
    else if (node.type === 'UpdateExpression') changed(node.argument!, node.start)
    else if (node.type === 'ForInStatement' || node.type === 'ForOfStatement') {
      const declared = node.left.type === 'VariableDeclaration'
      for (const target of declared ? node.left.declarations.map(({ id }) => id!) : [node.left]) {
        changed(target, target.start, declared && node.left.kind !== 'var')
      }
    } else if (node.type === 'VariableDeclarator' && node.init) {
      for (const id of namesIn(node.id!)) this.scopes.get(id)?.resolve(id.name)?.assigned.push(node.start)
    }
    for (const child of childrenOf(node)) this.resolveAssignments(child)
  }
}

/** Resolves the names of a program. */
export function scopesOf(program: Node): Scopes {
  return new Builder(program)
}
