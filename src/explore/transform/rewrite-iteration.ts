/** `for … of` in a coroutine: written out, because to get the next element may itself be a coroutine. */
import type { Emitter } from './emitter.ts'
import { bind, isHotPattern, takeElements } from './rewrite-patterns.ts'
import type { Rope } from './rope.ts'
import { bare, isElement, memberName, type Node } from './syntax.ts'

function isWrittenOut(emitter: Emitter, node: Node): boolean {
  if (node.type !== 'ForOfStatement' || node.await || !emitter.isCoroutine) return false
  const { left } = node
  const pattern = left.type === 'VariableDeclaration' ? left.declarations[0]!.id! : left
  return emitter.colours.mayIterate(node) || isHotPattern(emitter, pattern)
}

/** The code that gives an element to what stands in the head of the loop. */
function given(emitter: Emitter, node: Node, value: string): Rope {
  const { left } = node
  if (left.type === 'VariableDeclaration') {
    if (left.kind !== 'var' && left.kind !== 'let' && left.kind !== 'const') {
      emitter.source.refuse(left, 'disposal by a loop that may reach shared memory is not supported')
    }
    const made = bind(emitter, left.declarations[0]!.id!, value, (target, from) => [target, ' = ', from, ', '])
    return declared(left.kind, made)
  }
  const target = bare(left)
  if (isElement(target)) {
    const wr = `${emitter.helper('wr')}(${emitter.site(target)}, `
    return [wr, emitter.emit(target.object), ', ', emitter.emit(target.property), `, ${value}); `]
  }
  if (target.type === 'MemberExpression') {
    const assign: Rope = [emitter.copy(target), ` = ${emitter.helper('m')}(${value})`]
    if (!emitter.colours.writes(memberName(target))) return [';', assign, '; ']
    return [';(', assign, ', ', emitter.runLeft(), '0); ']
  }
  if (isHotPattern(emitter, target)) {
    return [';', bind(emitter, target, value, (to, from) => ['(', to, ' = ', from, '), ']), '0; ']
  }
  return [';(', emitter.emit(target), ' = ', takeElements(emitter, target, value), '); ']
}

function declared(kind: string, made: readonly Rope[]): Rope {
  const ropes: Rope[] = [`${kind} `]
  for (const [index, piece] of made.entries()) {
    const pieces = piece as readonly Rope[]
    ropes.push(index === made.length - 1 ? pieces.slice(0, -1) : pieces)
  }
  return [...ropes, '; ']
}

function writeOut(emitter: Emitter, node: Node, labels: Rope): Rope {
  const iterator = emitter.temp()
  const state = emitter.temp()
  const result = emitter.temp()
  const open = emitter.run(node, [`${emitter.helper('open')}(`, emitter.emit(node.right), ')'])
  const next = emitter.run(node, `${iterator}.next()`)
  const element = given(emitter, node, `${result}.value`)
  const body = emitter.emit(node.body)
  const close = emitter.run(node, `${emitter.helper('close')}(${iterator}, ${state} === 2)`)
  return [
    emitter.place(node),
    `{ ${iterator} = `,
    open,
    `; ${state} = 0; try { `,
    labels,
    `while (${state} = 0, !(${result} = `,
    next,
    `).done) { ${state} = 1; `,
    element,
    body,
    ` } } catch ($e) { if (${state} === 1) ${state} = 2; throw $e } finally { if (${state} !== 0) `,
    close,
    ' } }',
  ]
}

export function rewriteForOf(emitter: Emitter, node: Node): Rope | undefined {
  return isWrittenOut(emitter, node) ? writeOut(emitter, node, '') : undefined
}

/** The labels of a loop go to the loop that it becomes, so that `continue` finds them. */
export function rewriteLabelled(emitter: Emitter, node: Node): Rope | undefined {
  const labels: string[] = []
  let body = node
  while (body.type === 'LabeledStatement') {
    labels.push(`${body.label.name}: `)
    body = body.body
  }
  return isWrittenOut(emitter, body) ? writeOut(emitter, body, labels.join('')) : undefined
}
