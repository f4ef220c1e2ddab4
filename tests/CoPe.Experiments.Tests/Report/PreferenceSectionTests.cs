namespace CoPe.Experiments.Tests.Report;

public class PreferenceSectionTests
{
    [Fact]
    public void The_distance_of_expert_and_amateur_stands_where_it_was_measured()
    {
        var model = SampleReport.Create(users: 3);
        Assert.Contains("are +0.275 nats a token apart", HtmlReportTests.Render(model), StringComparison.Ordinal);
        Assert.DoesNotContain(
            "a token apart",
            HtmlReportTests.Render(model with { ExpertDistance = null }),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Own_texts_that_preference_training_made_less_likely_are_a_warning_in_words()
    {
        var model = SampleReport.Create(users: 3);
        var effect = model.PreferenceEffect!;
        Assert.Contains("likelihood displacement", HtmlReportTests.Render(model), StringComparison.Ordinal);
        var risen = model with { PreferenceEffect = effect with { Chosen = new(-21.5, -20) } };
        Assert.DoesNotContain("likelihood displacement", HtmlReportTests.Render(risen), StringComparison.Ordinal);
        var unknown = model with { PreferenceEffect = effect with { Chosen = null, Rejected = null } };
        Assert.DoesNotContain(
            "log-probability of the users",
            HtmlReportTests.Render(unknown),
            StringComparison.Ordinal
        );
    }
}
