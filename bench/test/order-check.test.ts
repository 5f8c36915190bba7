import { describe, expect, it } from 'vitest'
import { OrderCheck, RoomOrder } from '../src/generator/order-check.ts'

function checked(
  room: RoomOrder,
  ...taken: readonly (readonly [publisher: number, sequence: number])[]
): OrderCheck {
  const check = new OrderCheck(room)
  for (const [publisher, sequence] of taken) check.take(publisher, sequence)
  return check
}

describe('OrderCheck', () => {
  it('finds nothing wrong with what is whole and in order', () => {
    const check = checked(new RoomOrder(2), [0, 0], [1, 0], [0, 1])
    expect(check.faults([2, 1])).toEqual({ lost: 0, doubled: 0, outOfOrder: 0 })
  })

  it('counts what never came, in the middle and at the end', () => {
    const check = checked(new RoomOrder(1), [0, 0], [0, 2])
    expect(check.faults([5])).toEqual({ lost: 3, doubled: 0, outOfOrder: 0 })
  })

  it('counts what came twice', () => {
    const check = checked(new RoomOrder(1), [0, 0], [0, 0], [0, 1])
    expect(check.faults([2])).toEqual({ lost: 0, doubled: 1, outOfOrder: 0 })
  })

  it('tells late from lost', () => {
    const check = checked(new RoomOrder(1), [0, 1], [0, 0])
    expect(check.faults([2])).toEqual({ lost: 0, doubled: 0, outOfOrder: 1 })
  })

  it('counts receivers that do not see two publishers in the same order', () => {
    const room = new RoomOrder(2)
    checked(room, [0, 0], [1, 0])
    expect(checked(room, [1, 0], [0, 0]).faults([1, 1])).toEqual({ lost: 0, doubled: 0, outOfOrder: 2 })
  })
})
