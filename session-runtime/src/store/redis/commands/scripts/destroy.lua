-- Ends a session: removes the fields and leaves a tombstone.
--
-- KEYS[1]  The session.
-- ARGV[1]  The lifetime of the tombstone, in milliseconds.
-- ARGV[2]  The word for the kind of tombstone.
-- ARGV[3]  The stored name of a field, if the session must have a value to be ended.
-- ARGV[4]  The former name of the field, or an empty text.
-- ARGV[5]  The value, or the beginning of the value that counts.
-- ARGV[6]  The length of that beginning. Or empty if the whole value counts.
-- ARGV[7]  In a cluster, for a session whose change may be under way: ends a live session without
--          the value too, and a missing one, until this time in seconds.
--
-- Returns 1 for a session that has ended now, 0 for a missing session, and the text of an existing
-- tombstone. A session with entries in indexes returns 1, the label, see index_before.lua, and the
-- last part of the key. A session without the value returns -1 and stays. Past the time in ARGV[7],
-- returns `late` and the server's time. Any other type of key returns WRONGTYPE.
--
-- With a field, the script follows a dead session to its successors. Otherwise a client that
-- changes the id again and again would always be ahead. KEYS does not name the successors, but they
-- are in the same cluster slot. Without a live successor, the reply is the text of the last
-- tombstone.
--
-- A tombstone is `KIND:MADE:UNTIL:SUCCESSOR`. The times are in milliseconds since 1970 by this
-- server's clock. The successor is the id under which the session continues, or empty. Former
-- releases wrote `UNTIL:SUCCESSOR`, and before that only the successor. The words are listed in
-- tombstone.rs.
--
-- Everything that could be refused is checked before the first write. Servers of other makes that
-- cannot check the user's permissions are refused.
--
-- The first write is an UNLINK, which works even if the memory is full. After that, the server no
-- longer checks the memory. UNLINK also frees a large hash in the background.
--
-- While the slot moves to another node of a cluster, the server refuses all commands on missing
-- keys, such as EXISTS here. The session then stays until the tombstone replaces it.

local key, lifetime = KEYS[1], ARGV[1]
local may = redis.acl_check_cmd
if not may then
  return redis.error_reply('NOACLCHECK Redis 7 or later, or Valkey, is needed')
end

local function look()
  return redis.pcall('HMGET', key, '', '\0', unpack(ARGV, 3, math.min(#ARGV, 4)))
end

local FOLLOWED = 1000 -- successors at once
local held, tombstone = look(), nil
for followed = 0, FOLLOWED do
  if not held.err then
    break
  elseif not string.find(held.err, '^WRONGTYPE') then
    return tombstone or held
  end
  tombstone = redis.pcall('GET', key) or held
  local successor = ARGV[3] and followed < FOLLOWED and type(tombstone) == 'string'
    and (string.match(tombstone, '^%l+:%d+:%d+:(.+)$') or string.match(tombstone, '^%d+:(.+)$'))
  if not successor then
    return tombstone
  end
  key = string.match(key, '^.*:') .. '{' .. string.sub(successor, 1, 8) .. '}' .. string.sub(successor, 9)
  held = look()
end
local is_missing = not held[1] and redis.call('EXISTS', key) == 0
if is_missing and (tombstone or not ARGV[7]) then
  -- This changes nothing, but a replica refuses the command. The session may not have been
  -- replicated yet.
  return tombstone or redis.pcall('UNLINK', key)
end

local time = redis.call('TIME')
local value = held[3] or ARGV[4] ~= '' and held[4]
if ARGV[3] and not (value and string.sub(value, 1, tonumber(ARGV[6]) or -1) == ARGV[5]) then
  if not ARGV[7] then
    return -1
  elseif time[1] + time[2] / 1000000 > tonumber(ARGV[7]) then
    return {'late', time[1] .. string.format('.%06d', time[2])}
  end
end
-- The digits of both numbers are joined, because formatting a number costs as much as a command.
local now = time[1] .. string.sub('00000' .. time[2], -6, -4)
tombstone = string.format('%s:%s:%.0f:', ARGV[2], now, now + lifetime)
if not may('SET', key, tombstone, 'PX', lifetime) then
  return redis.error_reply('NOPERM the tombstone may not be written')
end

local moves = type(redis.pcall('EXISTS', key .. '+')) == 'table'
redis.call(unpack(moves and {'PEXPIRE', key, lifetime} or {'UNLINK', key}))
redis.call('SET', key, tombstone, 'PX', lifetime)
if is_missing then
  return 0
end
if held[2] then
  return {1, held[2], string.match(key, '[^:]*$')}
end
return 1
