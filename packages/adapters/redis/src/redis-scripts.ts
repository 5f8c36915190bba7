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

-- A JSON string with the same bytes that Jackson gives it: cjson escapes the slash and DEL as well.
local ESCAPES = { ['"'] = '\\\\"', ['\\\\'] = '\\\\\\\\', ['\\b'] = '\\\\b', ['\\f'] = '\\\\f', ['\\n'] = '\\\\n', ['\\r'] = '\\\\r', ['\\t'] = '\\\\t' }
local function quoted(text)
  return '"' .. string.gsub(text, '[\\1-\\31"\\\\]', function(char)
    return ESCAPES[char] or string.format('\\\\u%04X', string.byte(char))
  end) .. '"'
end

-- Behind the string whose first quote is at this place.
local function pastString(data, quote)
  local past = quote + 1
  while past <= #data and string.sub(data, past, past) ~= '"' do
    past = past + (string.sub(data, past, past) == '\\\\' and 2 or 1)
  end
  return past + 1
end

-- Behind the value that begins at this place, whatever is nested in it.
local function pastValue(data, start)
  local past, depth = start, 0
  while past <= #data do
    local char = string.sub(data, past, past)
    if depth == 0 and past > start and string.find(char, '[,}%s]') then return past end
    if char == '"' then
      past = pastString(data, past)
    else
      if string.find(char, '[{%[]') then depth = depth + 1 end
      if string.find(char, '[}%]]') then depth = depth - 1 end
      past = past + 1
    end
  end
  return past
end

-- The JSON with the value of one of its own fields replaced, or with the field put first.
local function withField(data, name, value)
  local _, open = string.find(data, '^%s*{')
  local at = string.find(data, '[^%s,]', open + 1)
  while at and string.sub(data, at, at) == '"' do
    local past = pastString(data, at)
    local _, colon = string.find(data, '^%s*:%s*', past)
    if not colon then break end
    local valueEnd = pastValue(data, colon + 1)
    if string.sub(data, at + 1, past - 2) == name then
      return string.sub(data, 1, colon) .. value .. string.sub(data, valueEnd)
    end
    at = string.find(data, '[^%s,]', valueEnd)
  end
  local isEmpty = string.find(data, '^%s*}', open + 1)
  return '{"' .. name .. '":' .. value .. (isEmpty and '' or ',') .. string.sub(data, open + 1)
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
  data = data or '{"userId":' .. quoted(userId) .. ',"roomId":null,"sessionId":null,"studyTime":null}'
  data = withField(data, 'roomId', string.format('%.0f', rooms[#rooms]))
  redis.call('HSET', key, 'data', withField(data, 'sessionId', quoted(latest)))
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
