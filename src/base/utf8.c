/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

static bool continuation(unsigned char c) {
  return (c & 0xC0) == 0x80;
}

/* Length of the well-formed sequence at p (RFC 3629 section 4), 0 if there is none within `left` bytes. */
static size_t sequence(const unsigned char *p, size_t left) {
  unsigned char c = p[0];
  if (c < 0x80)
    return c == 0 ? 0 : 1;
  if (c < 0xC2) /* a stray continuation, or an overlong form of ASCII */
    return 0;
  if (c < 0xE0)
    return left >= 2 && continuation(p[1]) ? 2 : 0;
  if (c < 0xF0) {
    if (left < 3 || !continuation(p[1]) || !continuation(p[2]))
      return 0;
    if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] >= 0xA0)) /* overlong; surrogates */
      return 0;
    return 3;
  }
  if (c > 0xF4 || left < 4 || !continuation(p[1]) || !continuation(p[2]) || !continuation(p[3]))
    return 0;
  if ((c == 0xF0 && p[1] < 0x90) || (c == 0xF4 && p[1] >= 0x90)) /* overlong; above U+10FFFF */
    return 0;
  return 4;
}

bool crm_utf8_valid(const char *text, size_t len) {
  const unsigned char *p = (const unsigned char *)text;
  size_t i = 0;
  while (i < len) {
    /* Names are ASCII mostly: eight bytes at a time while none is NUL or above 0x7F. */
    while (len - i >= sizeof(uint64_t)) {
      uint64_t word;
      memcpy(&word, p + i, sizeof(word));
      if (((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) != 0)
        break;
      i += sizeof(word);
    }
    if (i == len)
      break;
    size_t n = sequence(p + i, len - i);
    if (n == 0)
      return false;
    i += n;
  }
  return true;
}

size_t crm_utf8_cut(const char *text, size_t len, size_t limit) {
  if (limit >= len)
    return len;
  size_t end = limit;
  while (end > 0 && continuation((unsigned char)text[end]))
    end--;
  return end;
}
