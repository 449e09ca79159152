/** Which rewrite is for which type of node. */
import { isCopy, type Emitter, type Rewrite } from './emitter.ts'
import { rewriteAssignment, rewriteUpdate } from './rewrite-assignments.ts'
import { rewriteCall, rewriteNew, rewriteSpread, rewriteTemplate } from './rewrite-calls.ts'
import { rewriteChain, rewriteDelete, rewriteMember } from './rewrite-chains.ts'
import { rewriteClass, rewriteStaticBlock } from './rewrite-classes.ts'
import { rewriteFunction, rewriteProperty, rewriteYield } from './rewrite-functions.ts'
import { rewriteForOf, rewriteLabelled } from './rewrite-iteration.ts'
import { rewriteLoop } from './rewrite-loops.ts'
import { rewriteCatch, rewriteDeclaration } from './rewrite-patterns.ts'
import type { Rope } from './rope.ts'
import type { Node } from './syntax.ts'

const LISTS = new Set(['Program', 'BlockStatement', 'StaticBlock', 'SwitchCase'])

/** New code may begin with a parenthesis, which must not continue the statement before. */
function rewriteExpression(emitter: Emitter, node: Node): Rope | undefined {
  const rope = emitter.copy(node)
  if (node.directive || isCopy(node, rope)) return rope
  return LISTS.has(emitter.source.parentOf(node)!.type) ? [';', rope] : rope
}

export const REWRITES: ReadonlyMap<string, Rewrite> = new Map<string, Rewrite>([
  ['ArrowFunctionExpression', rewriteFunction],
  ['AssignmentExpression', rewriteAssignment],
  ['CallExpression', rewriteCall],
  ['CatchClause', rewriteCatch],
  ['ChainExpression', rewriteChain],
  ['ClassDeclaration', rewriteClass],
  ['ClassExpression', rewriteClass],
  ['DoWhileStatement', rewriteLoop],
  ['ExpressionStatement', rewriteExpression],
  ['ForOfStatement', rewriteForOf],
  ['ForStatement', rewriteLoop],
  ['FunctionDeclaration', rewriteFunction],
  ['FunctionExpression', rewriteFunction],
  ['LabeledStatement', rewriteLabelled],
  ['MemberExpression', rewriteMember],
  ['NewExpression', rewriteNew],
  ['Property', rewriteProperty],
  ['SpreadElement', rewriteSpread],
  ['StaticBlock', rewriteStaticBlock],
  ['TaggedTemplateExpression', rewriteTemplate],
  ['UnaryExpression', rewriteDelete],
  ['UpdateExpression', rewriteUpdate],
  ['VariableDeclaration', rewriteDeclaration],
  ['WhileStatement', rewriteLoop],
  ['YieldExpression', rewriteYield],
])
