/** Loops tell the scheduler when an iteration begins, and with which variables: so it finds the ones that wait. */
import type { Emitter } from './emitter.ts'
import type { Rope } from './rope.ts'
import type { Variable } from './scopes.ts'
import { isFunction, type Node } from './syntax.ts'

function isLoop(node: Node): boolean {
  return /^(?:While|DoWhile|For|ForIn|ForOf)Statement$/.test(node.type)
}

/** The outermost loop around a loop, in the same function. */
function outermost(emitter: Emitter, loop: Node): Node {
  let found = loop
  for (let at = emitter.source.parentOf(loop); at && !isFunction(at); at = emitter.source.parentOf(at)) {
    if (isLoop(at)) found = at
    if (at.type === 'StaticBlock' || at.type === 'PropertyDefinition') break
  }
  return found
}

/** A variable in the scope of a switch may not have been reached yet. */
function isReadable(variable: Variable, loop: Node): boolean {
  const { kind, scope, at } = variable
  if (kind === 'param' || kind === 'var') return true
  if (kind !== 'let') return false
  return scope.node.type !== 'SwitchStatement' && (at < loop.start || scope.node === loop)
}

/** The variables that a loop carries from one iteration to the next. */
function carried(emitter: Emitter, loop: Node): string[] {
  const { start, end } = outermost(emitter, loop)
  const { owner } = emitter.source.scopeOf(loop)
  const inside = emitter.source.scopeOf(loop.body)
  const names = new Set<string>()
  for (let scope = emitter.source.scopeOf(loop); ; scope = scope.parent!) {
    if (scope.owner !== owner) break
    for (const variable of scope.variables.values()) {
      const changes = variable.assigned.some((at) => at >= start && at < end)
      if (!changes || !isReadable(variable, loop)) continue
      // A variable of the body hides one of the same name.
      if (inside.resolve(variable.name) === variable) names.add(variable.name)
    }
    if (scope.parent === undefined) break
  }
  return [...names]
}

export function rewriteLoop(emitter: Emitter, node: Node): Rope | undefined {
  if (emitter.frame.kind === 'module') return undefined
  const token = emitter.loop()
  const args = [emitter.site(node), token, ...carried(emitter, node)].join(', ')
  const head = ` ${token} = ${emitter.helper('lp')}(${args}); `
  const { body } = node
  const code: Rope =
    body.type === 'BlockStatement' ? ['{', head, emitter.afterBrace(body)] : ['{', head, emitter.emit(body), ' }']
  return emitter.copy(node, new Map([[body, code]]))
}
