/**
 * Which functions may reach a shared access, and so have to be coroutines. By names, over all files at once, and
 * rather too many than too few: what is missed is found when the program runs, by a coroutine that nobody resumed.
 */
import { operationOf } from './atomics.ts'
import { callbackOf } from './names.ts'
import type { Source } from './source.ts'
import { collect, Facts, isBindable, mayBeFunction, type Unit } from './units.ts'
import { bare, isClass, isFunction, memberName, propertyName, type Node } from './syntax.ts'

/** What scenarios import from the explorer and call in their threads. */
const ANNOUNCING = new Set(['op', 'allocated', 'freed'])
/** The module that users of the explorer import. */
const EXPLORER = /(?:^|\/)explore(?:\/index)?(?:\.[cm]?[jt]s)?$/

export class Colours {
  private readonly facts = new Facts()
  private readonly calls = new Set<string>()
  private readonly getters = new Set<string>()
  private readonly setters = new Set<string>()
  private readonly constructors = new Set<string>()
  /** A coloured function is used as a value. */
  private escaped = false
  private constructorEscaped = false
  /** Something coloured is iterated over. */
  private iterators = false
  /** Something is coloured at all. */
  private some = false
  /** A coloured method has a computed name. */
  private nameless = false

  constructor(sources: readonly Source[]) {
    for (const source of sources) collect(source, this.facts)
    while (this.round());
    for (const unit of this.facts.units) this.check(unit)
  }

  /** Whether a function, or a class as its constructor, may reach a shared access. */
  isHot(node: Node): boolean {
    return this.facts.unitOf.get(node)?.coloured ?? false
  }

  /** Whether a function is a coroutine. */
  isCoroutine(node: Node): boolean {
    return this.isHot(node) && !node.async
  }

  /** Whether anything that is iterated over may be coloured. */
  get iterates(): boolean {
    return this.iterators
  }

  reads(name: string | undefined): boolean {
    return name !== undefined && this.getters.has(name)
  }

  writes(name: string | undefined): boolean {
    return name !== undefined && this.setters.has(name)
  }

  /** Whether a call, or a tagged template, may run a coroutine. */
  mayCall(source: Source, node: Node): boolean {
    const callee = bare(node.type === 'TaggedTemplateExpression' ? node.tag : node.callee)
    if (callee.type === 'Super') return false
    return this.mayBe(source, callee) || this.passesCallback(source, node)
  }

  /** Whether the call hands a coroutine to a method that calls it for each element. */
  passesCallback(source: Source, node: Node): boolean {
    if (node.type !== 'CallExpression') return false
    const callee = bare(node.callee)
    if (callee.type !== 'MemberExpression' || callee.object.type === 'Super') return false
    const argument = node.arguments[callbackOf(memberName(callee))]
    return argument !== undefined && this.mayBe(source, bare(argument))
  }

  /** Whether `new X` or `super()` may leave the rest of a constructor to be run. */
  mayConstruct(source: Source, callee: Node): boolean {
    const node = bare(callee)
    if (node.type === 'Identifier') {
      const variable = source.resolve(node)
      const bound = variable?.bound
      if (bound !== undefined && isClass(bound)) return this.facts.unitOf.get(bound)!.coloured
      if (this.constructors.has(node.name) || this.calls.has(node.name)) return true
      return this.constructorEscaped && variable !== undefined && isBindable(variable)
    }
    if (isClass(node)) return this.facts.unitOf.get(node)!.coloured
    const name = memberName(node)
    if (name === undefined) return this.constructorEscaped
    return this.constructors.has(name) || (this.constructorEscaped && this.facts.assigned.has(name))
  }

  /** Whether the value of an expression, when called, may run a coroutine. */
  private mayBe(source: Source, callee: Node): boolean {
    if (isFunction(callee)) return this.isCoroutine(callee)
    if (callee.type === 'Identifier') return this.mayBeNamed(source, callee)
    if (callee.type === 'ChainExpression') return this.mayBe(source, callee.expression)
    if (callee.type !== 'MemberExpression') return this.escaped && mayBeFunction(callee)
    const name = propertyName(callee.property, callee.computed)
    if (name === undefined) return this.some
    if (this.calls.has(name) || this.getters.has(name)) return true
    if (name === 'call' || name === 'apply') return this.mayBe(source, bare(callee.object))
    return this.nameless || (this.escaped && this.facts.assigned.has(name))
  }

  private mayBeNamed(source: Source, identifier: Node): boolean {
    const { name } = identifier
    const variable = source.resolve(identifier)
    if (variable === undefined) return false
    if (variable.bound !== undefined) {
      if (isClass(variable.bound)) return false
      const unit = this.facts.unitOf.get(variable.bound)
      if (unit !== undefined) return unit.coloured && !unit.node.async
    }
    if (variable.from !== undefined) {
      if (ANNOUNCING.has(variable.from.name) && EXPLORER.test(variable.from.module)) return true
      return this.calls.has(name) || (this.escaped && this.facts.assigned.has(variable.from.name))
    }
    return this.calls.has(name) || (this.escaped && isBindable(variable))
  }

  /** One pass over everything. @returns whether it found more */
  private round(): boolean {
    let more = false
    for (const unit of this.facts.units) {
      if (unit.coloured || !unit.triggers.some((node) => this.isTriggered(unit.source, node))) continue
      this.colour(unit)
      more = true
    }
    for (const [from, to] of this.facts.aliases) {
      for (const names of [this.calls, this.constructors, this.getters, this.setters]) {
        if (!names.has(from) || names.has(to)) continue
        if (names === this.getters || names === this.setters) continue
        names.add(to)
        more = true
      }
    }
    return this.escape() || more
  }

  private colour(unit: Unit): void {
    unit.coloured = true
    const { node } = unit
    if (isFunction(node) && node.async) return
    this.some = true
    const names = {
      function: this.calls,
      getter: this.getters,
      setter: this.setters,
      constructor: this.constructors,
    }[unit.kind]
    for (const name of unit.names) names.add(name)
    if (unit.kind === 'constructor') this.constructorEscaped ||= unit.escapes
    else this.escaped ||= unit.escapes
    if (unit.kind !== 'function') return
    const isIteration = unit.names.some((name) => name === 'next' || name === 'return' || name === 'throw')
    const key = this.computedKey(unit)
    if (node.generator || isIteration || key === 'iterator') {
      this.iterators = true
      for (const name of ['next', 'return', 'throw']) this.calls.add(name)
    } else if (key === '') this.nameless = true
  }

  /** For a method with a computed name: the name of the well-known symbol, or ''. */
  private computedKey({ node, source, names }: Unit): string | undefined {
    const parent = source.parentOf(node)!
    if (names.length > 0 || (parent.type !== 'MethodDefinition' && parent.type !== 'Property')) return undefined
    const key = bare(parent.key)
    const isSymbol = key.type === 'MemberExpression' && key.object.name === 'Symbol'
    return (isSymbol && memberName(key)) || ''
  }

  /** A coloured name that is read as a value. */
  private escape(): boolean {
    let more = false
    if (!this.escaped && this.anyRead(this.calls)) more = this.escaped = true
    if (!this.constructorEscaped && this.anyRead(this.constructors)) more = this.constructorEscaped = true
    return more
  }

  private anyRead(names: ReadonlySet<string>): boolean {
    for (const name of names) if (this.facts.read.has(name)) return true
    return false
  }

  private isTriggered(source: Source, node: Node): boolean {
    switch (node.type) {
      case 'CallExpression':
        if (node.callee.type === 'Super') return false
        return operationOf(source, node) !== 0 || this.mayCall(source, node) || this.consumes(source, node)
      case 'TaggedTemplateExpression':
        return this.mayCall(source, node)
      case 'NewExpression':
        return this.mayConstruct(source, node.callee) || this.consumes(source, node)
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.mayConstruct(source, node.superClass!)
      case 'MemberExpression':
        return this.isAccessor(source, node)
      case 'Property':
        return this.reads(propertyName(node.key, node.computed))
    }
    return this.mayIterate(node)
  }

  private isAccessor(source: Source, node: Node): boolean {
    const name = memberName(node)
    if (name === undefined) return false
    const parent = source.parentOf(node)!
    if (parent.type === 'UnaryExpression' && parent.operator === 'delete') return false
    return this.reads(name) || this.writes(name)
  }

  /** Whether a loop, a spread, a pattern or a delegation may run a coroutine per element. */
  mayIterate(node: Node): boolean {
    if (!this.iterators) return false
    if (node.type === 'ForOfStatement') return !node.await && bare(node.right).type !== 'ArrayExpression'
    if (node.type === 'SpreadElement') return bare(node.argument!).type !== 'ArrayExpression'
    return true
  }

  /** Whether the call reads all elements of its first argument: `new Set(x)`, `Array.from(x)`, `Object.fromEntries(x)`. */
  consumes(source: Source, node: Node): boolean {
    if (!this.iterators || node.arguments.length === 0 || node.arguments[0]!.type === 'SpreadElement') return false
    const callee = bare(node.callee)
    const isGlobal = (name: Node, ...wanted: string[]) =>
      name.type === 'Identifier' && wanted.includes(name.name) && source.resolve(name) === undefined
    if (node.type === 'NewExpression') return isGlobal(callee, 'Set', 'Map', 'WeakSet', 'WeakMap')
    const name = memberName(callee)
    if (name === 'from') return isGlobal(callee.object, 'Array')
    return name === 'fromEntries' && isGlobal(callee.object, 'Object')
  }

  /** What is coloured but cannot be made a coroutine. */
  private check({ node, source, kind, coloured }: Unit): void {
    if (!coloured || (kind !== 'getter' && kind !== 'setter')) return
    const property = source.parentOf(node)!
    if (propertyName(property.key, property.computed) === undefined) {
      source.refuse(property, `a ${kind} with a computed name cannot reach shared memory`)
    }
  }
}
