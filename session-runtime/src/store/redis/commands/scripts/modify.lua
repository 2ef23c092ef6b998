-- Changes one field of a session depending on the current value. That is the field's own value, or
-- else the value of the alias.
--
-- KEYS[1]  The session.
-- ARGV[1]  The lifetime of the session, in milliseconds. If empty, the expiries of the session and
--          of the value stay the same. Empty only for an existing session, and for `compare` with a
--          new value.
-- ARGV[2]  1 to create a missing session, or 0 if the session must exist.
-- ARGV[3]  The field.
-- ARGV[4]  The alias, which is the former name of the field, or empty.
-- ARGV[5]  The lifetime of a new value of the field, in milliseconds, or 0 for no expiry.
-- ARGV[6]  The action. Its arguments follow. Without a new value the field is removed.
--
-- The actions with arguments and replies:
--
--   replace     [new value]                                   the previous value
--   get_or_set  new value                                     the current value after the action
--   compare     or missing?, expected?, expected, [new value] 1 if the value matched, else 0
--   add         by, default, least, most: integers            the sum, -2 or -3
--   add_float   by, default, single?                          the same as add
--
-- The reply -2 stands for a value that is not a number, and -3 for a sum out of range.
--
-- Returns -1 for a missing session that is not created. Either the session must exist, or the
-- comparison or addition failed. A tombstone returns WRONGTYPE.
--
-- As in write.lua, the first write is an HSET, or a deletion if the field is removed. Everything
-- that could be refused after the first write is checked before.
--
-- Any program may have stored any text in the field, and the server serves nobody else while a
-- script runs. The work on a stored text is therefore linear in the length. No pattern has two
-- repetitions that could match the same characters, and no number may have a longer text than
-- necessary.

local key, lifetime, field, alias, action = KEYS[1], ARGV[1], ARGV[3], ARGV[4], ARGV[6]
local may = redis.acl_check_cmd
if not may then
  return redis.error_reply('NOACLCHECK Redis 7 or later, or Valkey, is needed')
end

local stored = redis.pcall('HMGET', key, '', field, alias)
if stored.err then
  return stored
end
-- A session created by another program may lack the permanent field.
local lacks_permanent = not stored[1]
local alias_holds = alias ~= '' and stored[3]
local held = stored[2] or alias_holds

local is_missing = lacks_permanent and redis.call('EXISTS', key) == 0
if is_missing and ARGV[2] == '0' then
  return -1
end

local NOT_A_NUMBER, OUT_OF_RANGE = -2, -3

-- Each action creates the functions that the action needs. Creating all of them each time would
-- take longer than an increment.

local function add_integers()
  local by, default, least, most = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
  -- Each integer has one text, without `+`, leading zeros or `-0`. A text longer than both limits
  -- is out of range.
  if held and held ~= '0' and (#held > math.max(#least, #most) or not string.find(held, '^%-?[1-9]%d*$')) then
    return NOT_A_NUMBER
  end

  -- Lua's numbers are only exact up to 2^53, which is enough for almost every counter. A limit
  -- beyond is rounded, but stays beyond.
  local EXACT = 15
  if #(held or default) <= EXACT and #by <= EXACT then
    local number = tonumber(held or default)
    least, most = tonumber(least), tonumber(most)
    if held and (number < least or number > most) then
      return NOT_A_NUMBER
    end
    local sum = number + tonumber(by)
    if sum < least or sum > most then
      return OUT_OF_RANGE
    end
    local text = string.format('%.0f', sum)
    return text, true, text
  end

  -- A larger number is split into parts of 15 decimal digits, lowest first. Every part has the sign
  -- of the number. In a sum, only the last part has a sign.
  local DIGITS, BASE = 15, 1e15

  local function parts_of(text)
    local sign, digits = 1, text
    if string.sub(text, 1, 1) == '-' then
      sign, digits = -1, string.sub(text, 2)
    end
    local parts = {}
    for to = #digits, 1, -DIGITS do
      parts[#parts + 1] = sign * tonumber(string.sub(digits, math.max(1, to - DIGITS + 1), to))
    end
    return parts
  end

  -- Returns a + b, or a - b if the sign is -1.
  local function sum_of(a, b, sign)
    local sum, carry = {}, 0
    for at = 1, math.max(#a, #b) do
      local part = (a[at] or 0) + sign * (b[at] or 0) + carry
      carry = math.floor(part / BASE)
      sum[at] = part - carry * BASE
    end
    sum[#sum + 1] = carry
    return sum
  end

  local function is_less(a, b)
    local difference = sum_of(a, b, -1)
    return difference[#difference] < 0
  end

  local function text_of(sum)
    local sign = ''
    if sum[#sum] < 0 then
      sign, sum = '-', sum_of({}, sum, -1)
    end
    local digits = ''
    for at = #sum, 1, -1 do
      digits = digits .. string.format('%015.0f', sum[at])
    end
    digits = string.match(digits, '^0*(%d-)$')
    return digits == '' and '0' or sign .. digits
  end

  local number = parts_of(held or default)
  least, most = parts_of(least), parts_of(most)
  if held and (is_less(number, least) or is_less(most, number)) then
    return NOT_A_NUMBER
  end
  local sum = sum_of(number, parts_of(by), 1)
  if is_less(sum, least) or is_less(most, sum) then
    return OUT_OF_RANGE
  end
  local text = text_of(sum)
  return text, true, text
end

local function add_floats()
  local function is_finite(number)
    return number == number and number ~= math.huge and number ~= -math.huge
  end

  -- The longest exact text of a 64-bit number: `-0.` and 1,074 decimals. The Rust code has the same
  -- limit.
  local LONGEST = 1077
  local LARGEST_SINGLE, HALF_WAY_TO_INFINITY = 2 ^ 128 - 2 ^ 104, 2 ^ 128 - 2 ^ 103

  -- Rounds to 32 bits.
  local function rounded(number)
    if math.abs(number) >= HALF_WAY_TO_INFINITY then
      return number > 0 and math.huge or -math.huge
    end
    return (struct.unpack('<f', struct.pack('<f', number)))
  end

  local WORDS = {inf = math.huge, ['-inf'] = -math.huge, nan = 0 / 0}

  -- Returns the digits of a decimal text, without zeros at either end, and the number of digits
  -- before the point. For 12.5e3, these are 125 and 5.
  local function scientific(text)
    local mantissa, exponent = string.match(text, '^[+-]?([%d.]+)[eE]?([+-]?%d*)$')
    local whole, fraction = string.match(mantissa, '^(%d*)%.?(%d*)$')
    local digits = whole .. fraction
    local zeros = #string.match(digits, '^0*')
    local zeros_behind = #string.match(string.reverse(digits), '^0*')
    return string.sub(digits, zeros + 1, -zeros_behind - 1), #whole - zeros + (tonumber(exponent) or 0)
  end

  -- Returns the 32-bit number nearest to a text, given the nearest 64-bit number. If the 64-bit
  -- number lies half-way between two 32-bit numbers, the first hundred digits of the text decide.
  -- Rounding twice could give the wrong neighbour.
  local function rounded_once(text, number)
    local nearest = rounded(number)
    local other = 2 * number - nearest
    if math.abs(number) == HALF_WAY_TO_INFINITY then
      other = number > 0 and LARGEST_SINGLE or -LARGEST_SINGLE
    end
    if nearest == number or rounded(other) ~= other then
      return nearest
    end
    local digits, point = scientific(text)
    local half_way, its_point = scientific(string.format('%.99e', number))
    if digits == half_way and point == its_point then
      return nearest
    end
    local is_beyond = point > its_point or point == its_point and digits > half_way
    return (is_beyond == (math.abs(nearest) > math.abs(other))) and nearest or other
  end

  -- Reads decimal text, with an optional point and exponent. tonumber alone would also accept
  -- spaces and 0x10. Returns nil for any other text, for numbers out of range, and for texts longer
  -- than necessary.
  local function read_float(text, single)
    if WORDS[text] then
      return WORDS[text]
    elseif #text > LONGEST then
      return nil
    end
    local mantissa = string.match(text, '^[+-]?([%d.]+)$') or string.match(text, '^[+-]?([%d.]+)[eE][+-]?%d+$')
    if not mantissa or not string.find(mantissa, '%d') or string.find(mantissa, '%..*%.') then
      return nil
    end
    local number = tonumber(text)
    if single and is_finite(number) then
      number = rounded_once(text, number)
    end
    return is_finite(number) and number or nil
  end

  -- Returns the next larger number with as many digits, or with an additional digit.
  local function successor_of(digits)
    local kept, nines = string.match(digits, '^(%d-)(9*)$')
    local last = kept == '' and 0 or tonumber(string.sub(kept, -1))
    return string.sub(kept, 1, -2) .. (last + 1) .. string.rep('0', #nines)
  end

  -- Returns the fewest digits that read as this number, and the power of ten to multiply the digits
  -- with. Among several candidates, the nearest wins. If two are equally near, the larger wins.
  --
  -- Up to 15 digits, or 6 for 32 bits, at most one candidate reads as the number, so the search
  -- starts there. Subnormal numbers may have several candidates, so the search starts at 1 digit.
  local function shortest(magnitude, single)
    local most = single and 9 or 17
    local least = single and 6 or 15
    if magnitude < (single and 2 ^ -126 or 2 ^ -1022) then
      least = 1
    end
    -- 60 decimals are exact enough. No such number comes so close to the middle between two
    -- 17-digit numbers without being the middle.
    local first, rest, exponent = string.match(string.format('%.60e', magnitude), '^(%d)%.(%d+)e([+-]%d+)$')
    local exact = first .. rest
    for count = least, most do
      local power = tonumber(exponent) - count + 1
      local low = string.sub(exact, 1, count)
      local near, far = low, successor_of(low)
      if string.byte(exact, count + 1) >= 53 then -- '5'
        near, far = far, near
      end
      -- At a power of two, the numbers below are closer together than the numbers above. The
      -- nearest candidate may then read as a number below.
      for _, digits in ipairs({near, far}) do
        if read_float(digits .. 'e' .. power, single) == magnitude then
          return digits, power
        end
      end
    end
  end

  -- Formats a number like Rust's Display, without an exponent.
  local function text_of_float(number, single)
    local sign = (number < 0 or 1 / number < 0) and '-' or ''
    if number == 0 then
      return sign .. '0'
    end
    local digits, power = shortest(math.abs(number), single)
    local significant = string.match(digits, '^(%d-)0*$')
    power = power + #digits - #significant
    local point = #significant + power
    if power >= 0 then
      return sign .. significant .. string.rep('0', power)
    elseif point > 0 then
      return sign .. string.sub(significant, 1, point) .. '.' .. string.sub(significant, point + 1)
    end
    return sign .. '0.' .. string.rep('0', -point) .. significant
  end

  local single = ARGV[9] == '1'
  local by, number = read_float(ARGV[7]), nil
  if held then
    number = read_float(held, single)
    if not number then
      return NOT_A_NUMBER
    end
  else
    number = read_float(ARGV[8])
    number = single and rounded(number) or number
  end
  local sum = number + by
  if single then
    sum = rounded(sum)
  end
  if not is_finite(sum) then
    return OUT_OF_RANGE
  end
  local text = text_of_float(sum, single)
  return text, true, text
end

local function compare()
  local expected = ARGV[8] == '1' and ARGV[9]
  if held == expected or (not held and ARGV[7] == '1') then
    return 1, true, ARGV[10]
  end
  return 0, false
end

local reply, is_changed, value
if action == 'add' then
  reply, is_changed, value = add_integers()
elseif action == 'replace' then
  reply, is_changed, value = held, true, ARGV[7]
elseif action == 'compare' then
  reply, is_changed, value = compare()
elseif action == 'add_float' then
  reply, is_changed, value = add_floats()
elseif held then
  reply, is_changed = held, false
else
  reply, is_changed, value = ARGV[7], true, ARGV[7]
end

if is_missing and not is_changed then
  return -1
end
local keeps_times = lifetime == ''
if keeps_times and not is_changed then
  -- This changes nothing, but a replica refuses the command. The value may not have been replicated
  -- yet.
  local refused = redis.pcall('PEXPIRE', key, '0', 'GT')
  return type(refused) == 'table' and refused or reply
end

local is_removed = is_changed and not value
local deletes = is_removed or is_changed and alias_holds
if not ((keeps_times or may('PEXPIRE', key, lifetime)) and (not deletes or may('HDEL', key, field))
    and (not (is_removed and lacks_permanent) or may('HSET', key, '', ''))) then
  return redis.error_reply('NOPERM a session needs HSET, HDEL and PEXPIRE')
end
local field_lifetime = ARGV[5]
if keeps_times then
  -- If the server lacks the command, this raises an error instead of returning false.
  local is_known = pcall(may, 'HPTTL', key, 'FIELDS', '1', field)
  local left = is_known and redis.pcall('HPTTL', key, 'FIELDS', '1', stored[2] and field or alias) or {-1}
  if left.err then
    return left
  end
  field_lifetime = left[1] < 0 and '0' or math.max(left[1], 1)
end
local expires = is_changed and not is_removed and field_lifetime ~= '0'
if expires then
  -- If the server lacks the command, this raises an error instead of returning false.
  local is_known, is_permitted = pcall(may, 'HPEXPIRE', key, field_lifetime, 'FIELDS', '1', field)
  if not is_known then
    return redis.error_reply('NOFIELDEXPIRY Redis 7.4 or later, or Valkey 9 or later, is needed')
  elseif not is_permitted then
    return redis.error_reply('NOPERM fields that expire need HPEXPIRE')
  end
end

if is_removed then
  redis.call('HDEL', key, field)
elseif is_changed then
  redis.call('HSET', key, field, value)
end
if expires then
  redis.call('HPEXPIRE', key, field_lifetime, 'FIELDS', '1', field)
end
if is_changed and alias_holds then
  redis.call('HDEL', key, alias)
end
if lacks_permanent then
  redis.call('HSET', key, '', '')
end
if not keeps_times then
  redis.call('PEXPIRE', key, lifetime)
end
return reply
