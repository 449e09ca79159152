/**
 * Functions. One that may reach a shared access gets a generator as its twin, which has its code; the function itself
 * only makes the coroutine and hands it to whoever called.
 *
 * To call a generator function for the first time is slow (it gets a prototype object and a map of its own), so a twin is
 * never made per call, and where it can be it is lifted out of the function around it.
 */
import { newFrame, type Emitter } from './emitter.ts'
import { captured } from './captures.ts'
import type { Rope } from './rope.ts'
import { forwarded, frameKind, functionBody, plainParams, twin, type Twin } from './twins.ts'
import { findInside, isArrow, isFunction, propertyName, walk, type Node } from './syntax.ts'

/** What a function expression cannot have when its code moves into another one. */
function refuseMoved(emitter: Emitter, node: Node, what: string): void {
  const inArrow = isArrow(node)
  const found = findInside(node, (inner) => {
    if (inner.type === 'Super' || inner.type === 'MetaProperty') return inner.type === 'Super' || isNewTarget(inner)
    return inArrow && inner.type === 'Identifier' && inner.name === 'arguments'
  })
  if (found === undefined) return
  const name = found.type === 'Super' ? 'super' : found.type === 'MetaProperty' ? 'new.target' : 'arguments'
  emitter.source.refuse(found, `${name} cannot be used in ${what} that may reach shared memory`)
}

export function isNewTarget(node: Node): boolean {
  const { property } = node
  return node.type === 'MetaProperty' && property.name === 'target'
}

function usesThis(arrow: Node): boolean {
  let found = false
  walk(arrow, (node) => {
    found ||= node.type === 'ThisExpression'
    return !isFunction(node) || isArrow(node)
  })
  return found
}

/** A function that stays as it is, but for what is in it. */
function plainFunction(emitter: Emitter, node: Node): Rope {
  const kind = frameKind(emitter, node)
  const params = plainParams(emitter, node, kind)
  const frame = newFrame(kind)
  const prefix = kind === 'direct' ? ` ${emitter.helper('async')}(${emitter.site(node)});` : ''
  const rest = emitter.within(frame, () => functionBody(emitter, node))
  const declared = emitter.declarations(frame)
  const replaced = new Map(node.params.map((param, index) => [param, params[index]!]))
  const isBlock = node.body.type === 'BlockStatement'
  if (isBlock || declared !== '' || prefix !== '')
    return emitter.copy(node, replaced.set(node.body, ['{', declared, prefix, rest]))
  return emitter.copy(node, replaced)
}

/** The helper that takes the coroutine of a function: an iterator is made of that of a generator. */
function taker(emitter: Emitter, node: Node): string {
  return emitter.helper(node.generator ? 'iter' : 'c')
}

/** How a wrapper calls its twin. `self`: the code of `this`, or '' if it needs none. `values`: further arguments. */
function callTwin(emitter: Emitter, node: Node, name: string, self: string, values: readonly string[] = []): string {
  if (!isArrow(node) && emitter.source.usesArguments(node)) return `${name}.apply(this, arguments)`
  const args = [...values, ...forwarded(node).args]
  return self === '' ? `${name}(${args.join(', ')})` : `${name}.call(${[self, ...args].join(', ')})`
}

/** `(a) { … }` */
function signed({ params, body }: Twin): Rope {
  return ['(', params, ') ', body]
}

/** The part of a wrapper that makes the coroutine. */
function making(emitter: Emitter, node: Node, call: string): string {
  const code = `${taker(emitter, node)}(${call})`
  return isArrow(node) ? code : `{ return ${code} }`
}

/** The name that an expression takes from where it stands, as code. */
function nameFrom(emitter: Emitter, node: Node): string | undefined {
  const parent = emitter.source.parentOf(node)!
  if (parent.type === 'VariableDeclarator' && parent.id!.type === 'Identifier') return parent.id!.name
  if (parent.type !== 'Property' && parent.type !== 'PropertyDefinition') return undefined
  return propertyName(parent.key, parent.computed)
}

/** An arrow or a function expression. */
function expression(emitter: Emitter, node: Node): Rope {
  const isArrowFunction = isArrow(node)
  refuseMoved(emitter, node, isArrowFunction ? 'an arrow function' : 'a function expression')
  const { params } = forwarded(node)
  const self = !isArrowFunction || usesThis(node) ? 'this' : ''
  const place = emitter.place(node)
  const values = captured(emitter.source, node)
  const head = isArrowFunction ? `(${params}) => ` : `function ${node.id?.name ?? ''}(${params}) `
  if (values !== undefined) {
    const name = emitter.lift((name) => [place, `function* ${name}(`, liftedParams(values, twin(emitter, node))])
    return [place, head, making(emitter, node, callTwin(emitter, node, name, self, values))]
  }
  const made = making(emitter, node, callTwin(emitter, node, '$g', self))
  const generator: Rope = [place, 'function* $g', signed(twin(emitter, node))]
  if (node.id !== null) {
    const { name } = node.id
    return ['(() => { ', generator, ` const ${name} = function (${params}) ${made}; return ${name} })()`]
  }
  const name = nameFrom(emitter, node)
  const result =
    name === undefined ? `${head}${made}` : `{ ${JSON.stringify(name)}: ${head}${made} }[${JSON.stringify(name)}]`
  return ['(() => { ', generator, ` return ${result} })()`]
}

/** The parameters and the body of a lifted twin: first come the variables of the functions it was lifted out of. */
function liftedParams(values: readonly string[], { params, body }: Twin): Rope {
  return [values.map((value) => `${value}, `), params, ') ', body]
}

function declaration(emitter: Emitter, node: Node): Rope {
  refuseNewTarget(emitter, node)
  const { params } = forwarded(node)
  const place = emitter.place(node)
  const head = `function ${node.id?.name ?? ''}(${params}) `
  const isInner = emitter.source.scopeOf(node).parent?.parent !== undefined
  const values = isInner ? captured(emitter.source, node) : undefined
  if (values !== undefined) {
    const name = emitter.lift((name) => [place, `function* ${name}(`, liftedParams(values, twin(emitter, node))])
    return [place, head, making(emitter, node, callTwin(emitter, node, name, 'this', values))]
  }
  const name = `$g_${node.id?.name ?? 'default'}`
  const made = making(emitter, node, callTwin(emitter, node, name, 'this'))
  return [place, head, made, ` function* ${name}`, signed(twin(emitter, node))]
}

function refuseNewTarget(emitter: Emitter, node: Node): void {
  const found = findInside(node, isNewTarget)
  if (found) emitter.source.refuse(found, 'new.target cannot be used in a function that may reach shared memory')
}

/** What stands before the parameters of a member: `static`, `get`, the name. Without the star of a generator. */
function heading(emitter: Emitter, member: Node): Rope {
  const words = [member.static && 'static', (member.kind === 'get' || member.kind === 'set') && member.kind]
  const before = words.filter(Boolean).map((word) => `${String(word)} `)
  const key = emitter.emit(member.key)
  return [emitter.place(member), before, member.computed ? ['[', key, ']'] : key]
}

/**
 * A method, getter or setter of a class.
 * @param name the name of its twin
 * @param owner the name of the class, if it has one: a method can be called with a `this` that has no such twin
 */
export function method(emitter: Emitter, member: Node, name: string, owner: string | undefined): Rope {
  const node = member.value!
  refuseNewTarget(emitter, node)
  const isPrivate = member.key.type === 'PrivateIdentifier'
  const hidden = isPrivate ? `#${name}` : name
  const args = emitter.source.usesArguments(node) ? '...arguments' : forwarded(node).args.join(', ')
  const home = `${owner}${member.static ? '' : '.prototype'}.${hidden}`
  const call =
    isPrivate || owner === undefined
      ? `this.${hidden}(${args})`
      : `(this.${hidden} ?? ${home}).call(this${args === '' ? '' : `, ${args}`})`
  const result = member.kind === 'set' ? '' : 'return '
  const wrapper = `(${forwarded(node).params}) { ${result}${taker(emitter, node)}(${call}) } `
  return [heading(emitter, member), wrapper, member.static ? 'static ' : '', `*${hidden}`, signed(twin(emitter, node))]
}

/** A method, getter or setter of an object. */
export function rewriteProperty(emitter: Emitter, property: Node): Rope | undefined {
  const node = property.value
  const isMethod = property.method || property.kind !== 'init'
  if (!isMethod || !node || !isFunction(node) || !emitter.colours.isCoroutine(node)) return undefined
  refuseMoved(emitter, node, 'a method of an object')
  if (property.kind === 'init') {
    const key = heading(emitter, property)
    return [key, ': ', expression(emitter, node)]
  }
  const { params } = forwarded(node)
  const result = property.kind === 'set' ? '' : 'return '
  const generator: Rope = ['(function* ', signed(twin(emitter, node)), ')']
  const args = ['this', ...forwarded(node).args].join(', ')
  return [heading(emitter, property), `(${params}) { ${result}${taker(emitter, node)}(`, generator, `.call(${args})) }`]
}

export function rewriteFunction(emitter: Emitter, node: Node): Rope {
  if (!emitter.colours.isCoroutine(node)) return plainFunction(emitter, node)
  return node.type === 'FunctionDeclaration' ? declaration(emitter, node) : expression(emitter, node)
}

/** In a generator that is a coroutine, values for its user are told apart from pauses. */
export function rewriteYield(emitter: Emitter, node: Node): Rope | undefined {
  if (!emitter.isCoroutine || !emitter.frame.generator) return undefined
  emitter.frame.yields = true
  const value = node.argument ? emitter.emit(node.argument) : 'undefined'
  const helper = emitter.helper(node.delegate ? 'delegate' : 'token')
  return [emitter.place(node), `(${node.delegate ? 'yield*' : 'yield'} ${helper}(`, value, '))']
}
