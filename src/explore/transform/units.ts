/**
 * What is to be coloured: the functions and constructors of a file, each with the places in it that may reach a shared
 * access, and how functions travel from name to name.
 */
import { refuseHidden } from './atomics.ts'
import type { Source } from './source.ts'
import type { Variable } from './scopes.ts'
import {
  bare,
  bodyOf,
  childrenOf,
  isClass,
  isFunction,
  literalOf,
  memberName,
  propertyName,
  type Node,
} from './syntax.ts'

export type UnitKind = 'function' | 'getter' | 'setter' | 'constructor'

/** A function, or a class seen as its constructor with the initialisers of its fields. */
export interface Unit {
  readonly node: Node
  readonly source: Source
  readonly kind: UnitKind
  /** The names by which it can be called, read, written or constructed. */
  readonly names: readonly string[]
  /** It is used as a value, so that it can be called by other names too. */
  readonly escapes: boolean
  readonly triggers: Node[]
  /** It may reach a shared access. For an async function only: everything else is then a coroutine. */
  coloured: boolean
}

/** What the files of a project say, before anything is coloured. */
export class Facts {
  readonly units: Unit[] = []
  readonly unitOf = new Map<Node, Unit>()
  /** Whatever one of the names means, the other may mean too. */
  readonly aliases: (readonly [from: string, to: string])[] = []
  /** Names of properties that are given values which may be functions. */
  readonly assigned = new Set<string>()
  /** Names that are read as values, not called. */
  readonly read = new Set<string>()
}

const TRIGGERS = new Set([
  'CallExpression',
  'NewExpression',
  'TaggedTemplateExpression',
  'MemberExpression',
  'ForOfStatement',
  'SpreadElement',
  'ArrayPattern',
])

/** Expressions whose value is certainly no function. */
const NO_FUNCTION = new Set([
  'Literal',
  'TemplateLiteral',
  'ArrayExpression',
  'ObjectExpression',
  'UpdateExpression',
  'BinaryExpression',
  'UnaryExpression',
  'NewExpression',
])

export function mayBeFunction(node: Node): boolean {
  const value = bare(node)
  return !NO_FUNCTION.has(value.type)
}

/** Whether a variable can hold any function, not only the one it was declared with. */
export function isBindable(variable: Variable): boolean {
  if (variable.changes || variable.kind === 'param') return true
  return variable.bound === undefined && variable.kind !== 'import'
}

/** The name that gives access to a value assigned to `target`. */
function targetName(target: Node): string | undefined {
  const node = bare(target)
  if (node.type === 'AssignmentPattern') return targetName(node.left)
  return node.type === 'Identifier' ? node.name : memberName(node)
}

class Collector {
  private readonly source: Source
  private readonly facts: Facts

  constructor(source: Source, facts: Facts) {
    this.source = source
    this.facts = facts
  }

  visit(node: Node, unit: Unit | undefined): void {
    refuseHidden(this.source, node)
    let inner = unit
    if (isClass(node)) inner = this.enterClass(node)
    else if (isFunction(node)) inner = this.enterFunction(node)
    else if (node.type === 'StaticBlock') inner = undefined
    if (TRIGGERS.has(node.type)) unit?.triggers.push(node)
    if (node.type === 'Property' && this.inPattern(node)) unit?.triggers.push(node)
    if (node.type === 'YieldExpression' && node.delegate) unit?.triggers.push(node)
    this.follow(node)
    this.readAsValue(node)
    if (isClass(node)) this.visitClass(node, unit, inner)
    else for (const child of childrenOf(node)) this.visit(child, inner)
  }

  /** What a class extends and its computed keys run where the class stands. */
  private visitClass(node: Node, outer: Unit | undefined, constructor: Unit | undefined): void {
    if (node.id) this.visit(node.id, outer)
    if (node.superClass) this.visit(node.superClass, outer)
    for (const member of bodyOf(node.body)) {
      if (member.type === 'StaticBlock') {
        this.visit(member, undefined)
        continue
      }
      this.follow(member)
      this.visit(member.key, outer)
      const isField = member.type !== 'MethodDefinition'
      if (member.value) this.visit(member.value, isField && member.static ? undefined : constructor)
    }
  }

  private add(node: Node, kind: UnitKind, names: readonly (string | undefined)[], escapes: boolean): Unit {
    const known = names.filter((name) => name !== undefined)
    const unit: Unit = { node, source: this.source, kind, names: known, escapes, triggers: [], coloured: false }
    this.facts.units.push(unit)
    this.facts.unitOf.set(node, unit)
    return unit
  }

  private enterClass(node: Node): Unit {
    const name = node.id?.name ?? this.givenName(node)
    const unit = this.add(node, 'constructor', [name, this.isDefault(node) ? 'default' : undefined], name === undefined)
    if (node.superClass) unit.triggers.push(node)
    return unit
  }

  private enterFunction(node: Node): Unit {
    const parent = this.source.parentOf(node)!
    if (parent.type === 'MethodDefinition' || (parent.type === 'Property' && parent.value === node)) {
      if (parent.kind === 'constructor') return this.facts.unitOf.get(this.classOf(parent))!
      const name = propertyName(parent.key, parent.computed)
      const kind = parent.kind === 'get' ? 'getter' : parent.kind === 'set' ? 'setter' : 'function'
      const isMethod = parent.type === 'MethodDefinition' || parent.method || kind !== 'function'
      return this.add(node, kind, [name], !isMethod || name === undefined)
    }
    if (node.type === 'FunctionDeclaration') {
      return this.add(node, 'function', [node.id?.name, this.isDefault(node) ? 'default' : undefined], false)
    }
    const given = this.givenName(node)
    const isBound = parent.type === 'VariableDeclarator' && given !== undefined
    return this.add(node, 'function', [given, node.id?.name, this.isDefault(node) ? 'default' : undefined], !isBound)
  }

  private classOf(member: Node): Node {
    return this.source.parentOf(this.source.parentOf(member)!)!
  }

  private isDefault(node: Node): boolean {
    return this.source.parentOf(node)?.type === 'ExportDefaultDeclaration'
  }

  /** The name under which a function or class literal is stored. */
  private givenName(node: Node): string | undefined {
    const parent = this.source.parentOf(node)!
    if (parent.type === 'VariableDeclarator') return parent.id!.type === 'Identifier' ? parent.id!.name : undefined
    if (parent.type === 'AssignmentExpression') return targetName(parent.left)
    if (parent.type === 'AssignmentPattern') return targetName(parent.left)
    const isField = parent.type === 'Property' || parent.type === 'PropertyDefinition'
    return isField && parent.value === node ? propertyName(parent.key, parent.computed) : undefined
  }

  inPattern(property: Node): boolean {
    return this.source.parentOf(property)!.type === 'ObjectPattern'
  }

  /** How functions get from name to name. */
  private follow(node: Node): void {
    switch (node.type) {
      case 'VariableDeclarator':
        if (node.init) this.assign(node.id!, node.init)
        break
      case 'AssignmentExpression':
        this.assign(node.left, node.right)
        break
      case 'AssignmentPattern':
        this.assign(node.left, node.right)
        break
      case 'PropertyDefinition':
        if (node.value) this.assignName(propertyName(node.key, node.computed), node.value)
        break
      case 'Property': {
        const name = propertyName(node.key, node.computed)
        if (this.inPattern(node)) this.alias(name, targetName(node.value!))
        else if (!node.method && node.kind === 'init') this.assignName(name, node.value!)
        if (this.inPattern(node) && memberName(bare(node.value!)) !== undefined) {
          this.facts.assigned.add(memberName(bare(node.value!))!)
        }
        break
      }
      case 'ImportSpecifier':
        this.alias(node.imported.name ?? String(literalOf(node.imported)), node.local.name)
        break
      case 'ImportDefaultSpecifier':
        this.alias('default', node.local.name)
        break
      case 'ExportSpecifier':
        this.alias(node.local.name, node.exported.name)
        this.exportValue(node.local)
        break
      case 'ExportNamedDeclaration':
        if (node.declaration?.type === 'VariableDeclaration') {
          for (const { id } of node.declaration.declarations) if (id!.type === 'Identifier') this.exportValue(id!)
        }
        break
      case 'ExportDefaultDeclaration':
        this.alias(node.declaration!.name, 'default')
        break
    }
  }

  /** A variable that can hold any function can be called by its name elsewhere. */
  private exportValue(identifier: Node): void {
    const variable = this.source.resolve(identifier)
    if (variable !== undefined && isBindable(variable)) this.facts.assigned.add(identifier.name)
  }

  private assign(target: Node, value: Node): void {
    const to = bare(target)
    if (to.type === 'Identifier') this.alias(this.nameOfValue(value), to.name)
    else if (to.type === 'MemberExpression') this.assignName(memberName(to), value)
  }

  private assignName(name: string | undefined, value: Node): void {
    if (name === undefined) return
    if (mayBeFunction(value)) this.facts.assigned.add(name)
    this.alias(this.nameOfValue(value), name)
  }

  private nameOfValue(value: Node): string | undefined {
    const node = bare(value)
    return node.type === 'Identifier' ? node.name : memberName(node)
  }

  private alias(from: string | undefined, to: string | undefined): void {
    if (from !== undefined && to !== undefined && from !== to) this.facts.aliases.push([from, to])
  }

  /** A name that stands for its value: whoever gets it may call it by another name. */
  private readAsValue(node: Node): void {
    const isName = node.type === 'Identifier' || node.type === 'MemberExpression'
    if (!isName) return
    const parent = this.source.parentOf(node)!
    if (isCallee(parent, node) || isDeclared(parent, node)) return
    if (parent.type === 'MemberExpression' && parent.object === node && this.isCallOrApply(parent)) return
    const name = node.type === 'Identifier' ? node.name : memberName(node)
    if (name !== undefined) this.facts.read.add(name)
  }

  private isCallOrApply(member: Node): boolean {
    const name = memberName(member)
    return (name === 'call' || name === 'apply') && isCallee(this.source.parentOf(member)!, member)
  }
}

function isCallee(parent: Node, node: Node): boolean {
  if (parent.type === 'CallExpression' || parent.type === 'NewExpression') return parent.callee === node
  return parent.type === 'TaggedTemplateExpression' && parent.tag === node
}

/** Names in places that give them a meaning, and keys. */
function isDeclared(parent: Node, node: Node): boolean {
  switch (parent.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return parent.body !== node
    case 'ClassDeclaration':
    case 'ClassExpression':
      return true
    case 'VariableDeclarator':
      return parent.id === node
    case 'AssignmentExpression':
      return parent.left === node
    case 'AssignmentPattern':
      return parent.left === node
    case 'MemberExpression':
      return parent.property === node && !parent.computed
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return parent.key === node && !parent.computed && !parent.shorthand
    case 'ImportSpecifier':
    case 'ImportDefaultSpecifier':
    case 'ImportNamespaceSpecifier':
    case 'ExportSpecifier':
    case 'ExportDefaultDeclaration':
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return true
  }
  return false
}

/** Adds what a file says to the facts. */
export function collect(source: Source, facts: Facts): void {
  const collector = new Collector(source, facts)
  for (const node of bodyOf(source.program)) collector.visit(node, undefined)
}
