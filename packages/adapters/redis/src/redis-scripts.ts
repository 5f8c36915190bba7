import { createHash } from 'node:crypto'

/** A script as Redis keeps it: under the hash of its text. */
export interface RedisScript {
  readonly text: string
  readonly sha1: string
}

function script(text: string): RedisScript {
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}

/**
 * What changes several keys at once, as Lua, which Redis runs as one step. The keys are made in the scripts from a prefix
 * (so that this is for one server with its replicas, not for a cluster):
 *
 *   {prefix}sessions       hash   session id → {userId, node, number, rooms} as JSON
 *   {prefix}room:{roomId}  set    session ids
 *   {prefix}node:{node}    set    session ids
 *   {prefix}nodes          set    nodes that have a session
 *   {prefix}user:{userId}  zset   session ids, the one put last has the greatest score
 *   {prefix}puts           string counts them
 *
 * The original's keys are a projection of the user's latest session (SPEC G10.1): `sessionIdIndex:{sessionId}` → user id,
 * and in `realTimeData:{userId}`, field `data`, the values of roomId and sessionId. Every other byte of that JSON
 * belongs to other servers and stays, so that it is edited as text: a decoded and encoded number could be another one.
 */
const SHARED = `
local prefix = ARGV[1]
local sessions = prefix .. 'sessions'

local function roomKey(room)
  return prefix .. 'room:' .. string.format('%.0f', room)
end

-- The JSON with the value of a field replaced, or with the field put first.
local function withField(data, name, value)
  local _, last = string.find(data, '"' .. name .. '"%s*:%s*')
  if not last then
    local _, open = string.find(data, '^%s*{')
    local isEmpty = string.find(data, '^%s*}', open + 1)
    return '{"' .. name .. '":' .. value .. (isEmpty and '' or ',') .. string.sub(data, open + 1)
  end
  local past = last + 1
  if string.sub(data, past, past) == '"' then
    past = past + 1
    while past <= #data and string.sub(data, past, past) ~= '"' do
      past = past + (string.sub(data, past, past) == '\\\\' and 2 or 1)
    end
    past = past + 1
  else
    past = string.find(data, '[,}%s]', past) or #data + 1
  end
  return string.sub(data, 1, last) .. value .. string.sub(data, past)
end

local function project(userId)
  local key = 'realTimeData:' .. userId
  local data = redis.call('HGET', key, 'data')
  local latest = redis.call('ZREVRANGE', prefix .. 'user:' .. userId, 0, 0)[1]
  if data and not string.find(data, '^%s*{.*}%s*$') then data = false end
  if not latest then
    if data then redis.call('HSET', key, 'data', withField(data, 'sessionId', 'null')) end
    return
  end
  local rooms = cjson.decode(redis.call('HGET', sessions, latest)).rooms
  data = data or '{"userId":' .. cjson.encode(userId) .. ',"roomId":null,"sessionId":null,"studyTime":null}'
  data = withField(data, 'roomId', string.format('%.0f', rooms[#rooms]))
  redis.call('HSET', key, 'data', withField(data, 'sessionId', cjson.encode(latest)))
end

local function forget(id, session)
  redis.call('HDEL', sessions, id)
  for _, room in ipairs(session.rooms) do redis.call('SREM', roomKey(room), id) end
  local node = prefix .. 'node:' .. session.node
  redis.call('SREM', node, id)
  if redis.call('EXISTS', node) == 0 then redis.call('SREM', prefix .. 'nodes', session.node) end
  redis.call('ZREM', prefix .. 'user:' .. session.userId, id)
  redis.call('DEL', 'sessionIdIndex:' .. id)
end
`

/** ARGV: prefix, session id, the session as JSON. */
export const PUT: RedisScript = script(`${SHARED}
local id, json = ARGV[2], ARGV[3]
local session = cjson.decode(json)
local kept = redis.call('HGET', sessions, id)
if kept then
  kept = cjson.decode(kept)
  if kept.number > session.number then return 0 end
  forget(id, kept)
end
redis.call('HSET', sessions, id, json)
for _, room in ipairs(session.rooms) do redis.call('SADD', roomKey(room), id) end
redis.call('SADD', prefix .. 'node:' .. session.node, id)
redis.call('SADD', prefix .. 'nodes', session.node)
redis.call('ZADD', prefix .. 'user:' .. session.userId, redis.call('INCR', prefix .. 'puts'), id)
redis.call('SET', 'sessionIdIndex:' .. id, session.userId)
project(session.userId)
if kept and kept.userId ~= session.userId then project(kept.userId) end
return 1
`)

/** ARGV: prefix, session id. */
export const REMOVE: RedisScript = script(`${SHARED}
local id = ARGV[2]
local kept = redis.call('HGET', sessions, id)
if not kept then return 0 end
kept = cjson.decode(kept)
forget(id, kept)
project(kept.userId)
return 1
`)
