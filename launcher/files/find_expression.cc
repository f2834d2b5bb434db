// SPDX-License-Identifier: MIT
#include "launcher/files/find_expression.h"

#include <cerrno>
#include <utility>

#include <fnmatch.h>
#include <sys/stat.h>

#include "formats/text.h"
#include "fs/path.h"
#include "launcher/files/file_text.h"
#include "launcher/files/find_operands.h"
#include "launcher/files/find_printf.h"

namespace vmfs {
namespace {

using Predicate = FindExpression::Predicate;
using Operand = const std::string&;
using MakePredicate = Result<Predicate> (*)(Operand operand, const FindContext& context);

// Parentheses within parentheses.
constexpr int max_nesting = 200;

std::string base_name(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return "/";
  const std::size_t slash = path.rfind('/', end);
  return path.substr(slash + 1, end - slash);
}

Predicate match_name(const std::string& pattern, int flags) {
  return [=](FindVisit& visit) {
    return ::fnmatch(pattern.c_str(), base_name(visit.entry.path).c_str(), flags) == 0;
  };
}

Predicate match_path(const std::string& pattern, int flags) {
  return [=](FindVisit& visit) { return ::fnmatch(pattern.c_str(), visit.entry.path.c_str(), flags) == 0; };
}

Result<Predicate> make_name(Operand operand, const FindContext&) {
  return match_name(operand, 0);
}

Result<Predicate> make_iname(Operand operand, const FindContext&) {
  return match_name(operand, FNM_CASEFOLD);
}

Result<Predicate> make_path(Operand operand, const FindContext&) {
  return match_path(operand, 0);
}

Result<Predicate> make_ipath(Operand operand, const FindContext&) {
  return match_path(operand, FNM_CASEFOLD);
}

Result<Predicate> make_type(Operand operand, const FindContext&) {
  std::string letters;
  for (std::size_t i = 0; i < operand.size(); ++i) {
    const bool separator = i % 2 == 1;
    if (separator ? operand[i] != ',' : !std::string_view("fdlpsbc").contains(operand[i])) {
      return fail(EINVAL, "-type {}: letters of fdlpsbc, separated by commas", operand);
    }
    if (!separator) letters += operand[i];
  }
  if (operand.size() % 2 == 0) return fail(EINVAL, "-type '{}': a letter is missing", operand);
  return [letters](FindVisit& visit) { return letters.contains(type_letter(visit.entry.attributes.mode)); };
}

Result<Predicate> make_size(Operand operand, const FindContext&) {
  const auto test = TRY(parse_size_test(operand));
  return [test](FindVisit& visit) { return test(visit.entry.attributes.size); };
}

Result<Predicate> make_perm(Operand operand, const FindContext&) {
  const auto test = TRY(parse_permission_test(operand));
  return [test](FindVisit& visit) { return test(visit.entry.attributes.mode); };
}

Result<Predicate> make_mtime(Operand operand, const FindContext& context) {
  const DaysTest test{TRY(parse_number_test(operand))};
  return [test, now = context.now](FindVisit& visit) { return test(visit.entry.attributes.modified, now); };
}

Predicate newer_than(const timespec& time) {
  return [time](FindVisit& visit) { return is_before(time, visit.entry.attributes.modified); };
}

Result<Predicate> make_newer(Operand operand, const FindContext& context) {
  const auto inode = resolve_link(context.filesystem, operand);
  const auto attributes = inode ? context.filesystem.stat(*inode) : std::unexpected(inode.error());
  if (!attributes) return fail(attributes.error().code, "-newer '{}': {}", operand, attributes.error().what);
  return newer_than(attributes->modified);
}

Result<Predicate> make_newermt(Operand operand, const FindContext&) {
  return newer_than(TRY(parse_time(operand)));
}

/// A name that the guest knows, else a number.
Result<std::uint32_t> account_id(Operand operand, const AccountTable& table, std::string_view what) {
  if (const auto id = table.id(operand)) return *id;
  const auto number = parse_number_test(operand);
  if (!number || number->kind != NumberTest::Kind::equal || number->number > UINT32_MAX) {
    return fail(EINVAL, "'{}' is not the name of a {} of the guest", operand, what);
  }
  return static_cast<std::uint32_t>(number->number);
}

Result<Predicate> make_user(Operand operand, const FindContext& context) {
  const std::uint32_t id = TRY(account_id(operand, context.accounts.users, "user"));
  return [id](FindVisit& visit) { return visit.entry.attributes.uid == id; };
}

Result<Predicate> make_group(Operand operand, const FindContext& context) {
  const std::uint32_t id = TRY(account_id(operand, context.accounts.groups, "group"));
  return [id](FindVisit& visit) { return visit.entry.attributes.gid == id; };
}

Result<Predicate> make_uid(Operand operand, const FindContext&) {
  const auto test = TRY(parse_number_test(operand));
  return [test](FindVisit& visit) { return test(visit.entry.attributes.uid); };
}

Result<Predicate> make_gid(Operand operand, const FindContext&) {
  const auto test = TRY(parse_number_test(operand));
  return [test](FindVisit& visit) { return test(visit.entry.attributes.gid); };
}

Result<Predicate> make_links(Operand operand, const FindContext&) {
  const auto test = TRY(parse_number_test(operand));
  return [test](FindVisit& visit) { return test(visit.entry.attributes.links); };
}

Result<Predicate> make_inum(Operand operand, const FindContext&) {
  const auto test = TRY(parse_number_test(operand));
  return [test](FindVisit& visit) { return test(static_cast<std::uint64_t>(visit.entry.inode)); };
}

Result<Predicate> make_empty(Operand, const FindContext& context) {
  return [&filesystem = context.filesystem](FindVisit& visit) {
    const Attributes& file = visit.entry.attributes;
    if (S_ISREG(file.mode)) return file.size == 0;
    if (!S_ISDIR(file.mode)) return false;
    bool empty = true;
    const auto listed = filesystem.list(visit.entry.inode, 0, [&](const DirectoryEntry& entry) {
      empty = entry.name == "." || entry.name == "..";
      return empty;
    });
    return listed && empty;
  };
}

Predicate print_path(char end, const FindContext& context) {
  return [end, only = context.printable_only](FindVisit& visit) {
    if (!visit.quit) visit.print((only ? printable(visit.entry.path) : visit.entry.path) + end);
    return true;
  };
}

Result<Predicate> make_print(Operand, const FindContext& context) {
  return print_path('\n', context);
}

Result<Predicate> make_print0(Operand, const FindContext& context) {
  return print_path('\0', context);
}

Result<Predicate> make_printf(Operand operand, const FindContext& context) {
  return [format = TRY(parse_find_format(operand, context))](FindVisit& visit) {
    if (!visit.quit) visit.print(format(visit.entry));
    return true;
  };
}

Result<Predicate> make_quit(Operand, const FindContext&) {
  return [](FindVisit& visit) { return visit.quit = true; };
}

Result<Predicate> make_prune(Operand, const FindContext&) {
  return [](FindVisit& visit) {
    visit.prune = true;
    return true;
  };
}

Result<Predicate> make_true(Operand, const FindContext&) {
  return [](FindVisit&) { return true; };
}

Result<Predicate> make_false(Operand, const FindContext&) {
  return [](FindVisit&) { return false; };
}

struct Word {
  std::string_view name;
  MakePredicate make;
  bool has_operand = true;
  bool is_action = false;  ///< takes the place of the -print that is else meant
};

constexpr Word words_known[] = {
    {"-name", make_name},
    {"-iname", make_iname},
    {"-path", make_path},
    {"-wholename", make_path},
    {"-ipath", make_ipath},
    {"-type", make_type},
    {"-size", make_size},
    {"-perm", make_perm},
    {"-mtime", make_mtime},
    {"-newer", make_newer},
    {"-newermt", make_newermt},
    {"-user", make_user},
    {"-group", make_group},
    {"-uid", make_uid},
    {"-gid", make_gid},
    {"-links", make_links},
    {"-inum", make_inum},
    {"-empty", make_empty, false},
    {"-print", make_print, false, true},
    {"-print0", make_print0, false, true},
    {"-printf", make_printf, true, true},
    {"-quit", make_quit, false},
    {"-prune", make_prune, false},
    {"-true", make_true, false},
    {"-false", make_false, false},
};

}  // namespace

/// Parses by descent: a list of or-lists of and-lists of terms.
class FindParser {
 public:
  FindParser(std::span<const std::string> words, const FindContext& context)
      : words_(words), context_(context) {}

  Result<FindExpression> parse() {
    Predicate predicate = TRY(words_.empty() ? make_true({}, context_) : list(0));
    if (!words_.empty()) return fail(EINVAL, "'{}' is too much", words_.front());
    if (!has_action_) {
      predicate = [inner = std::move(predicate), print = print_path('\n', context_)](FindVisit& visit) {
        return inner(visit) && print(visit);
      };
    }
    expression_.predicate_ = std::move(predicate);
    return std::move(expression_);
  }

 private:
  [[nodiscard]] bool next_is(std::string_view word) const {
    return !words_.empty() && words_.front() == word;
  }

  bool take(std::string_view word) {
    if (!next_is(word)) return false;
    words_ = words_.subspan(1);
    return true;
  }

  Result<Predicate> list(int depth) {
    Predicate left = TRY(any_of(depth));
    while (take(",")) {
      Predicate right = TRY(any_of(depth));
      left = [left = std::move(left), right = std::move(right)](FindVisit& visit) {
        (void)left(visit);
        return right(visit);
      };
    }
    return left;
  }

  Result<Predicate> any_of(int depth) {
    Predicate left = TRY(all_of(depth));
    while (take("-o") || take("-or")) {
      Predicate right = TRY(all_of(depth));
      left = [left = std::move(left), right = std::move(right)](FindVisit& visit) {
        return left(visit) || right(visit);
      };
    }
    return left;
  }

  Result<Predicate> all_of(int depth) {
    Predicate left = TRY(term(depth));
    while (!words_.empty() && !next_is("-o") && !next_is("-or") && !next_is(",") && !next_is(")")) {
      if (!take("-a")) (void)take("-and");
      Predicate right = TRY(term(depth));
      left = [left = std::move(left), right = std::move(right)](FindVisit& visit) {
        return left(visit) && right(visit);
      };
    }
    return left;
  }

  Result<Predicate> term(int depth) {
    bool negated = false;
    while (take("!") || take("-not")) negated = !negated;
    Predicate inner = TRY(take("(") ? parentheses(depth) : primary());
    if (!negated) return inner;
    return [inner = std::move(inner)](FindVisit& visit) { return !inner(visit); };
  }

  Result<Predicate> parentheses(int depth) {
    if (depth == max_nesting) return fail(EINVAL, "more than {} parentheses in one another", max_nesting);
    Predicate inner = TRY(list(depth + 1));
    if (!take(")")) return fail(EINVAL, "')' is missing");
    return inner;
  }

  Result<Predicate> primary() {
    if (words_.empty()) return fail(EINVAL, "the expression ends too early");
    const std::string& name = words_.front();
    words_ = words_.subspan(1);
    if (name == "-maxdepth") return depth_limit(name, expression_.max_depth_);
    if (name == "-mindepth") return depth_limit(name, expression_.min_depth_);
    for (const Word& word : words_known) {
      if (word.name != name) continue;
      has_action_ = has_action_ || word.is_action;
      return word.make(word.has_operand ? TRY(operand(name)) : std::string(), context_);
    }
    if (name.starts_with('-')) return fail(EINVAL, "unknown predicate '{}'", name);
    return fail(EINVAL, "'{}' is not expected here: paths come before the expression", name);
  }

  Result<std::string> operand(const std::string& name) {
    if (words_.empty()) return fail(EINVAL, "{} needs a word behind it", name);
    const std::string& word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }

  Result<Predicate> depth_limit(const std::string& name, std::size_t& limit) {
    const std::string word = TRY(operand(name));
    const auto number = parse_number_test(word);
    if (!number || number->kind != NumberTest::Kind::equal)
      return fail(EINVAL, "{}: '{}' is not a number", name, word);
    limit = number->number;
    return make_true({}, context_);
  }

  std::span<const std::string> words_;
  const FindContext& context_;
  FindExpression expression_;
  bool has_action_ = false;
};

Result<FindExpression> FindExpression::parse(std::span<const std::string> words, const FindContext& context) {
  return FindParser(words, context).parse();
}

bool FindExpression::begins_with(const std::string& word) {
  return (word.size() > 1 && word.front() == '-') || word == "(" || word == ")" || word == "!" || word == ",";
}

void FindExpression::apply(FindVisit& visit) const {
  (void)predicate_(visit);
}

}  // namespace vmfs
