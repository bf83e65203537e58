/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "write.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const struct {
  const char *name, *currency;
  int exponent;
} tenant_words[] = {{"acme", "USD", 2}, {"nihon", "JPY", 0}, {"europa", "EUR", 2}, {"gulf", "KWD", 3}, {"albion", "GBP", 2}};

static const char *const first_words[] = {
    "Amber",  "Aurora", "Basalt", "Beacon",  "Birch",   "Blue",  "Bright",  "Cedar",  "Citrus", "Clear",   "Cobalt", "Copper",
    "Coral",  "Crane",  "Delta",  "Ember",   "Falcon",  "Fjord", "Flint",   "Garnet", "Golden", "Granite", "Harbor", "Hazel",
    "Indigo", "Iron",   "Ivory",  "Juniper", "Kestrel", "Lake",  "Laurel",  "Linden", "Lunar",  "Maple",   "Meadow", "North",
    "Opal",   "Orchid", "Pine",   "Quartz",  "Raven",   "River", "Saffron", "Sierra", "Silver", "Summit",  "Tidal",  "Willow"};
static const char *const second_words[] = {
    "Analytics", "Apparel",  "Bank",      "Biotech", "Brewing", "Capital",  "Care",     "Clinics",  "Cloud",     "Dynamics",
    "Energy",    "Farms",    "Foods",     "Freight", "Games",   "Health",   "Holdings", "Hotels",   "Insurance", "Labs",
    "Legal",     "Lighting", "Logistics", "Media",   "Metals",  "Mobility", "Motors",   "Networks", "Optics",    "Outdoor",
    "Paper",     "Partners", "Pharma",    "Power",   "Press",   "Retail",   "Robotics", "School",   "Security",  "Software",
    "Solar",     "Sports",   "Studios",   "Systems", "Telecom", "Textiles", "Travel",   "Works"};
static const char *const industries[] = {"software",  "finance",   "healthcare", "retail", "manufacturing",
                                         "logistics", "education", "media",      "energy"};
static const char *const given_names[] = {"Ada",  "Aiko",  "Amir",   "Anna",  "Ben",   "Carla", "Chen", "Dana",   "Elif",  "Emeka",
                                          "Eva",  "Farid", "Grace",  "Hana",  "Ines",  "Ivan",  "Jack", "Jonas",  "Kenji", "Laila",
                                          "Leo",  "Lucía", "Mads",   "Maya",  "Mei",   "Nadia", "Noor", "Omar",   "Petra", "Priya",
                                          "Ravi", "Rosa",  "Samuel", "Sofia", "Tariq", "Tomás", "Uma",  "Viktor", "Yuki",  "Zoë"};
static const char *const family_names[] = {"Almeida", "Andersen", "Baker",  "Becker",  "Bianchi", "Carter",  "Dubois",   "Evans",
                                           "Fischer", "García",   "Haddad", "Ivanova", "Jensen",  "Khan",    "Kowalski", "Lopez",
                                           "Martin",  "Müller",   "Nguyen", "Novak",   "Okafor",  "O'Brien", "Patel",    "Rossi",
                                           "Santos",  "Schmidt",  "Silva",  "Singh",   "Smith",   "Turner",  "Weber",    "Yilmaz"};
static const char *const japanese_names[] = {"Abe",      "Endo", "Fujita", "Hayashi", "Ito",    "Kato",   "Kimura",   "Mori",
                                             "Nakamura", "Ono",  "Sasaki", "Sato",    "Suzuki", "Tanaka", "Watanabe", "Yamada"};

const char *word_currency(int tenant, int *exponent) {
  *exponent = tenant_words[tenant % COUNT(tenant_words)].exponent;
  return tenant_words[tenant % COUNT(tenant_words)].currency;
}

void word_tenant(int tenant, char *text, size_t size) {
  const char *name = tenant_words[tenant % COUNT(tenant_words)].name;
  if (tenant < COUNT(tenant_words))
    snprintf(text, size, "%s", name);
  else
    snprintf(text, size, "%s-%d", name, tenant / COUNT(tenant_words) + 1);
}

void word_company(uint64_t seed, uint64_t number, char *name, size_t name_size, char *domain, size_t domain_size) {
  /* Walks all pairs of words in a scattered order before one comes again; then a number makes the difference. */
  const uint64_t pairs = (uint64_t)COUNT(first_words) * COUNT(second_words);
  uint64_t pair = (number * 1009 + prng_mix(seed) % pairs) % pairs, round = number / pairs;
  const char *first = first_words[pair % COUNT(first_words)], *second = second_words[pair / COUNT(first_words)];
  char tail[24] = "";
  if (round > 0)
    snprintf(tail, sizeof tail, "%d", (int)(round + 1));
  snprintf(name, name_size, "%s %s%s%s", first, second, round > 0 ? " " : "", tail);
  snprintf(domain, domain_size, "%s-%s%s.example", first, second, tail);
  for (char *p = domain; *p; p++)
    if (*p >= 'A' && *p <= 'Z')
      *p = (char)(*p - 'A' + 'a');
}

const char *word_industry(struct prng *r) {
  return prng_chance(r, 0.03) ? NULL : industries[prng_below(r, COUNT(industries))];
}

const char *word_region(struct prng *r, int tenant) {
  static const char *const regions[] = {"emea", "amer", "apac"};
  if (prng_chance(r, 0.04))
    return NULL;
  static const char *const home[] = {"amer", "apac", "emea", "emea", "emea"};
  return prng_chance(r, 0.7) ? home[tenant % COUNT(home)] : regions[prng_below(r, COUNT(regions))];
}

const char *word_given_name(struct prng *r) {
  return given_names[prng_below(r, COUNT(given_names))];
}

const char *word_family_name(struct prng *r, int tenant) {
  return tenant % COUNT(tenant_words) == 1 ? japanese_names[prng_below(r, COUNT(japanese_names))]
                                           : family_names[prng_below(r, COUNT(family_names))];
}
