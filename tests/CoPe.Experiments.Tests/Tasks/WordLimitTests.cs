using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Tasks;

public class WordLimitTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData(" \n", 0)]
    [InlineData("It rains, again.", 3)]
    [InlineData("https://a.example/b?c=d", 1)]
    [InlineData("Ёлка в лесу", 3)] // scripts with blanks have the words that their blanks make
    [InlineData("नमस्ते दुनिया", 2)]
    [InlineData("오늘은 비가 온다", 3)]
    [InlineData("今天下雨了。", 5)]
    [InlineData("今天 下雨", 4)]
    [InlineData("用AI模型写2024年报告", 9)] // 用, AI, 模, 型, 写, 2024, 年, 报, 告
    [InlineData("AI's模型", 3)]
    [InlineData("こんにちは、世界", 7)]
    [InlineData("ดีมาก", 4)] // ด with its vowel, ม, า, ก: marks belong to the letter before them
    [InlineData("𠮷野家", 3)]
    public void Words_stand_between_blanks_and_without_blanks_each_character_is_one(string text, int count) =>
        Assert.Equal(count, WordLimit.Count(text));

    [Theory]
    [InlineData("one two  three", 2, "one two")]
    [InlineData("one\n\ntwo", 2, "one\n\ntwo")]
    [InlineData("今天下雨了。明天", 5, "今天下雨了。")]
    [InlineData("今天下雨了。", 5, "今天下雨了。")]
    [InlineData("用AI模型写", 3, "用AI模")]
    [InlineData("Rain 今天下雨 again", 3, "Rain 今天")]
    [InlineData("𠮷野家", 1, "𠮷")]
    public void A_text_is_cut_behind_its_last_word(string text, int count, string expected) =>
        Assert.Equal(expected, WordLimit.Truncate(text, count));
}
